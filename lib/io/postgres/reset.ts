/**
 * Resets: each is one transaction, and begins an epoch in which no earlier worker can commit.
 *
 * An abandoned log keeps its offsets and dead letters under a name that no topic can have, so that
 * the ledger still balances, and no offset means two records.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import { type Identity, readPipeline, replaceIdentity } from "./identity.ts";
import { explainLockTimeout } from "./schema/locks.ts";
import type { Connection, Row } from "./session/connection.ts";
import { listWorkers } from "./worker_registry.ts";

export interface Holdings {
  /** Those that are in counts of windows or hours, by the ledger: to count the rows would take a scan. */
  readonly events: number;
  readonly deadLetters: number;
  readonly replayedLetters: number;
  /** Records read from abandoned logs. */
  readonly recordsLeft: number;
}

export async function holdings(connection: Connection, topic: string): Promise<Holdings> {
  const [row] = await connection.query<Row & Holdings>({
    text: `
      select
        coalesce(sum(counted), 0)::bigint
          + coalesce((select replayed_letters - deleted_hour_events from pipeline), 0) as "events",
        (select count(*) from dead_letters) as "deadLetters",
        (select count(replayed_at) from dead_letters) as "replayedLetters",
        coalesce(sum(counted + dead) filter (where topic <> $1), 0)::bigint as "recordsLeft"
      from kafka_offsets`,
    values: [topic],
  });
  return row!;
}

const EMPTIED = [
  "lottery_aggregates",
  "lottery_hours",
  "dead_letters",
  "dead_letter_horizons",
  "outbox",
  "kafka_offsets",
  "offset_history",
  "windows_ahead",
  "audits",
  "quiet_lotteries",
];

/**
 * Makes sure that `resetCounts` is allowed: emptying tables is no right that workers have.
 * @throws {OperatorError} if it is not, with the role that may.
 */
export async function assertMayResetCounts(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ owner: string; role: string }>({
    text: `
      select quote_ident(pg_get_userbyid(relowner)) as owner, quote_ident(current_user) as role
      from unnest($1::text[]) as emptied (name)
      join pg_class on oid = to_regclass(name)
      where not has_table_privilege(oid, 'truncate')
      limit 1`,
    values: [EMPTIED],
  });
  if (!row) return;
  throw new OperatorError(
    `Cannot recount: only the owner of the tables may empty them, and the role of DATABASE_URL is ` +
      `${row.role}. Run \`reset --recount\` as ${row.owner}`,
  );
}

/** Deletes everything that was counted; the next worker begins at the log's start. */
export async function resetCounts(
  connection: Connection,
  { epoch, identity }: { readonly epoch: number; readonly identity: Identity },
): Promise<void> {
  await resetting(connection, epoch, async () => {
    await connection.query({ text: `truncate ${EMPTIED.join(", ")}` });
    await replaceIdentity(connection, identity);
    await connection.query({
      text: `
        update pipeline set
          watermark = null, closed_up_to = null, outbox_up_to = null, output_compared_with = null,
          aggregates_horizon = null, deleted_events = 0, replayed_letters = 0,
          hours_from = null, hours_horizon = null, deleted_hour_events = 0`,
    });
  });
}

/** Keeps the counts, and continues at these offsets of another log, or of the same one. */
export async function resetLog(
  connection: Connection,
  { epoch, identity, offsets }: {
    readonly epoch: number;
    readonly identity: Identity;
    readonly offsets: ReadonlyMap<number, number>;
  },
): Promise<void> {
  await resetting(connection, epoch, async ({ topic }) => {
    const left = nameOfLeft(topic, epoch);
    await leaveOffsets(connection, { topic, left });
    for (const table of ["dead_letters", "dead_letter_horizons"]) {
      await connection.query({
        text: `update ${table} set topic = $2 where topic = $1`,
        values: [topic, left],
      });
    }
    const next = await replaceIdentity(connection, identity);
    await connection.query({
      text: `
        insert into kafka_offsets (topic, partition, epoch, next_offset, first_offset)
        select $1, partition, $2, next_offset, next_offset
        from unnest($3::integer[], $4::bigint[]) as placed (partition, next_offset)`,
      values: [identity.topic, next, [...offsets.keys()], [...offsets.values()]],
    });
  });
}

/** Keeps everything, and adopts settings that concern only what is counted from now on. */
export async function resetSettings(
  connection: Connection,
  { epoch, identity, changesRules }: {
    readonly epoch: number;
    readonly identity: Identity;
    /** Whether records are judged by other rules than before, and cannot be recounted. */
    readonly changesRules: boolean;
  },
): Promise<void> {
  await resetting(connection, epoch, async ({ topic }) => {
    const next = await replaceIdentity(connection, identity);
    if (!changesRules) {
      await connection.query({
        text: "update kafka_offsets set epoch = $2 where topic = $1",
        values: [topic, next],
      });
      return;
    }
    const left = nameOfLeft(topic, epoch);
    await leaveOffsets(connection, { topic, left });
    await connection.query({
      text: `
        insert into kafka_offsets (
          topic, partition, epoch, next_offset, first_offset,
          max_event_time, caught_up_at, last_batch_offset, last_batch_crc
        )
        select
          $1, partition, $3, next_offset, next_offset,
          max_event_time, caught_up_at, last_batch_offset, last_batch_crc
        from kafka_offsets
        where topic = $2`,
      values: [topic, left, next],
    });
  });
}

/** Runs `change` in one transaction that keeps out everyone else who writes. */
async function resetting(
  connection: Connection,
  epoch: number,
  change: (counted: Identity) => Promise<void>,
): Promise<void> {
  try {
    await connection.transaction(async () => {
      await connection.query({ text: "lock table kafka_offsets in exclusive mode" });
      const stored = await readPipeline(connection);
      if (stored?.epoch !== epoch) {
        throw new OperatorError(
          "Cannot reset: another process has just reset the pipeline.",
        );
      }
      const workers = await listWorkers(connection);
      if (workers.some(({ isAlive }) => isAlive)) {
        throw new OperatorError("Cannot reset: a worker has been started.");
      }
      await change(stored.identity);
    });
  } catch (error) {
    throw await explainLockTimeout(error, connection);
  }
}

/** Topics are letters, digits, dots, dashes and underscores: none is called like this. */
function nameOfLeft(topic: string, epoch: number): string {
  return `${topic} (epoch ${epoch})`;
}

async function leaveOffsets(
  connection: Connection,
  { topic, left }: { readonly topic: string; readonly left: string },
): Promise<void> {
  await connection.query({ text: "delete from offset_history where topic = $1", values: [topic] });
  await connection.query({
    text: "update kafka_offsets set topic = $2 where topic = $1",
    values: [topic, left],
  });
}
