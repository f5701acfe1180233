/**
 * What a role needs to be granted for counting, if another one owns the tables.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";
import type { Connection } from "../session/connection.ts";
import { functionNames } from "./migrations.ts";

/** A worker's, by table or view; the tables in the order that commits use them in. */
export const WORKER_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  lottery_migrations: ["select"],
  kafka_offsets: ["select", "insert", "update"],
  pipeline: ["select", "insert", "update"],
  lottery_aggregates: ["select", "insert", "update", "delete"],
  lottery_hours: ["select", "insert", "update", "delete"],
  dead_letters: ["select", "insert", "update", "delete"],
  dead_letter_horizons: ["select", "insert", "update"],
  offset_history: ["select", "insert", "delete"],
  windows_ahead: ["select", "insert"],
  outbox: ["select", "insert", "update", "delete"],
  output_publisher: ["select", "insert", "update", "delete"],
  alerts: ["select", "insert", "update"],
  audits: ["select"],
  quiet_lotteries: ["select", "insert", "update", "delete"],
  workers: ["select", "insert", "update", "delete"],
  living_workers: ["select"],
  lottery_windows: ["select"],
};

/** An auditor's, beyond those of a role that only reads. */
const AUDITOR_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.keys(WORKER_RIGHTS).map((name) => [name, ["select"]])),
  audits: ["select", "insert", "delete"],
  alerts: ["select", "insert", "update"],
};

const SEQUENCES = ["count_revisions"];
const SEQUENCE_RIGHTS = ["usage", "select", "update"];

/** @throws {OperatorError} with what to grant, if the role of the connection lacks something. */
export async function assertGranted(connection: Connection): Promise<void> {
  const grants = await missingGrants(connection);
  if (grants.length === 0) return;
  throw new OperatorError(
    "The role of DATABASE_URL lacks rights that counting needs. " +
      `Let the owner of the tables run: ${grants.join(" ")}`,
  );
}

/** @throws {OperatorError} with what to grant, if the role of the connection may not write audits. */
export async function assertMayAudit(connection: Connection): Promise<void> {
  const lacking = await missing(connection, "table", rightsOf(Object.entries(AUDITOR_RIGHTS)));
  if (lacking.length === 0) return;
  const statements = grants(lacking, { kind: "table", role: await roleOf(connection) });
  throw new OperatorError(
    "The role of DATABASE_URL lacks rights that `audit --watch` needs. " +
      `Let the owner of the tables run: ${statements.join(" ")}`,
  );
}

/** The `grant` statements, to paste, for what the role of the connection lacks. */
export async function missingGrants(connection: Connection): Promise<string[]> {
  const role = await roleOf(connection);
  const onTables = await missing(connection, "table", rightsOf(Object.entries(WORKER_RIGHTS)));
  const onSequences = await missing(
    connection,
    "sequence",
    rightsOf(SEQUENCES.map((name) => [name, SEQUENCE_RIGHTS])),
  );
  const functions = await connection.query<{ name: string }>({
    text: `
      select
        format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) as name
      from pg_proc p
      join pg_namespace n on n.oid = pronamespace
      where (pronamespace, proowner) = (
          select relnamespace, relowner
          from pg_class
          where oid = 'lottery_migrations'::regclass
        )
        and proname = any ($1) -- others of this owner are none of ours, as those of an extension
        and not has_function_privilege(p.oid, 'execute')
      order by name`,
    values: [functionNames()],
  });
  return [
    ...grants(onTables, { kind: "table", role }),
    ...grants(onSequences, { kind: "sequence", role }),
    ...functions.map(({ name }) => `grant execute on function ${name} to ${role};`),
  ];
}

/** Quoted. */
async function roleOf(connection: Connection): Promise<string> {
  const [row] = await connection.query<{ role: string }>({
    text: "select quote_ident(current_user) as role",
  });
  return row!.role;
}

interface Right {
  readonly name: string;
  readonly right: string;
}

function rightsOf(entries: readonly (readonly [string, readonly string[]])[]): Right[] {
  return entries.flatMap(([name, rights]) => rights.map((right) => ({ name, right })));
}

/** Those that the role lacks, with qualified names. Objects that do not exist are left out. */
async function missing(
  connection: Connection,
  kind: "table" | "sequence",
  rights: readonly Right[],
): Promise<Right[]> {
  return await connection.query<Readonly<Record<string, unknown>> & Right>({
    text: `
      select format('%I.%I', nspname, relname) as name, wanted as right
      from unnest($1::text[], $2::text[]) with ordinality as rights (wanted_name, wanted, place)
      join pg_class c on c.oid = to_regclass(wanted_name)
      join pg_namespace n on n.oid = relnamespace
      where not has_${kind}_privilege(c.oid, wanted)
      order by place`,
    values: [rights.map(({ name }) => name), rights.map(({ right }) => right)],
  });
}

/** One statement for all objects that lack the same rights. */
function grants(
  rights: readonly Right[],
  { kind, role }: { readonly kind: "table" | "sequence"; readonly role: string },
): string[] {
  const byName = Map.groupBy(rights, ({ name }) => name);
  const byRights = Map.groupBy(
    byName,
    ([, ofName]) => ofName.map(({ right }) => right).join(", "),
  );
  return Array.from(
    byRights,
    ([list, names]) =>
      `grant ${list} on ${kind} ${names.map(([name]) => name).join(", ")} to ${role};`,
  );
}
