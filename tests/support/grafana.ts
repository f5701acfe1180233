/**
 * What Grafana does with its files: the role that it reads with, the dashboards, and the
 * queries as it sends them.
 * @module
 */

import { join } from "node:path";
// @ts-types="@types/pg"
import pg from "pg";
import { parse } from "yaml";
import { ROOT } from "./compose.ts";
import { run } from "./guarded_process.ts";

export interface Target {
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly format?: string;
  readonly rawSql?: string;
  readonly expr?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
}

/** Where a click on a value leads to. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets: readonly Target[];
  readonly options: unknown;
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly thresholds?: {
        readonly steps: readonly { readonly color: string; readonly value: number | null }[];
      };
      readonly links?: readonly DataLink[];
      /** What stands for a value, by the value. */
      readonly mappings?: readonly { readonly options: Readonly<Record<string, unknown>> }[];
      readonly custom?: unknown;
    };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  /** What stands in a query for `All`. */
  readonly allValue?: string;
  readonly query: string | { readonly query: string };
  /** Where its values come from; those of a `custom` one stand in it. */
  readonly datasource?: { readonly uid: string };
  readonly current: { readonly value?: string | readonly string[] };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly links: readonly { readonly url: string }[];
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export async function readDashboard(name: "lotto24" | "workers"): Promise<Dashboard> {
  return JSON.parse(await Deno.readTextFile(join(ROOT, `grafana/dashboards/${name}.json`)));
}

// deno-lint-ignore no-explicit-any
export async function readProvisioning(path: string): Promise<any> {
  return parse(await Deno.readTextFile(join(ROOT, "grafana/provisioning", path)));
}

/** Runs the script of the database container: `url` is that of the admin. */
export async function createReader(url: string, password: string): Promise<void> {
  const { hostname, port, username, password: adminPassword, pathname } = new URL(url);
  await run("sh", [join(ROOT, "grafana/create-reader.sh")], {
    env: {
      POSTGRES_USER: username,
      POSTGRES_DB: pathname.slice(1),
      GRAFANA_DB_PASSWORD: password,
      PGHOST: hostname,
      PGPORT: port,
      PGPASSWORD: adminPassword,
    },
  });
}

/** The same database, for the role that only reads. */
export function readerUrl(url: string, password: string): string {
  const readers = new URL(url);
  readers.username = "grafana";
  readers.password = encodeURIComponent(password);
  return readers.href;
}

/** What a query depends on besides its text. */
export interface QueryContext {
  readonly fromMs: number;
  readonly toMs: number;
  /** For `$__interval_ms`. */
  readonly intervalMs?: number;
  /** Chosen values of each variable; where there are none, its default, such as `All`. */
  readonly chosen: Readonly<Record<string, readonly string[]>>;
  readonly variables: readonly Variable[];
}

/** The query with its variables and macros replaced. */
export function expandSql(sql: string, context: QueryContext): string {
  const { fromMs, toMs, intervalMs } = context;
  const literal = (ms: number) => `'${new Date(ms).toISOString()}'`;
  const expanded = sql
    .replaceAll("${__timezone}", "Europe/Berlin")
    .replaceAll(/'\$\{(\w+)\}'|\$\{(\w+):sqlstring\}/g, (_, plain, quoted) => {
      return expandVariable(plain ?? quoted, context);
    })
    .replaceAll("$__interval_ms", String(intervalMs))
    .replaceAll(/\$(__\w+)\(([^)]*)\)/g, (_, macro, column) => {
      if (macro === "__timeFilter") {
        return `${column} BETWEEN ${literal(fromMs)} AND ${literal(toMs)}`;
      }
      if (macro === "__timeFrom") return literal(fromMs);
      if (macro === "__timeTo") return literal(toMs);
      throw new Error(`Unknown macro ${macro}`);
    });
  if (/\$[_{a-z]/.test(expanded)) throw new Error(`Not everything is replaced: ${expanded}`);
  return expanded;
}

function expandVariable(name: string, context: QueryContext): string {
  const variable = context.variables.find((each) => each.name === name);
  if (!variable) throw new Error(`There is no variable ${name}`);
  const values = context.chosen[name] ?? [];
  if (values.length > 0) {
    return values.map((value) => `'${value.replaceAll("'", "''")}'`).join(",");
  }
  if (variable.allValue) return variable.allValue; // as it stands, without quotes
  if (variable.type === "custom") return `'${variable.current.value}'`;
  // Grafana asks for the value first.
  return `(select __value from (${expandSql(variable.query as string, context)}) as ${name})`;
}

/** The query with its variables replaced; all workers are chosen where `workers` is empty. */
export function expandPromql(expr: string, workers: readonly string[] = []): string {
  const escaped = workers.map((worker) => worker.replaceAll(".", "\\\\."));
  const chosen = escaped.length === 0 ? ".*" : `(${escaped.join("|")})`;
  const expanded = expr.replaceAll("$__rate_interval", "1m").replaceAll("$worker", () => chosen);
  if (expanded.includes("$")) throw new Error(`Not everything is replaced: ${expanded}`);
  return expanded;
}

export type Kind = "time" | "number" | "text";

/** Rows of a query, with what each column is to Grafana. */
export interface Frame {
  readonly columns: readonly { readonly name: string; readonly kind: Kind }[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const KINDS: Readonly<Record<number, Kind>> = {
  [pg.types.builtins.TIMESTAMPTZ]: "time",
  [pg.types.builtins.INT4]: "number",
  [pg.types.builtins.INT8]: "number",
  [pg.types.builtins.FLOAT8]: "number",
  [pg.types.builtins.TEXT]: "text",
};

/** Asks the database as Grafana does. @throws for a column of a type that it cannot draw. */
export async function query(url: string, text: string): Promise<Frame> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { fields, rows } = await client.query(text);
    const columns = fields.map(({ name, dataTypeID }) => {
      const kind = KINDS[dataTypeID];
      if (!kind) throw new Error(`The column ${name} has the type ${dataTypeID}`);
      return { name, kind };
    });
    const numbers = columns.filter(({ kind }) => kind === "number").map(({ name }) => name);
    for (const row of rows) {
      for (const name of numbers) row[name] = row[name] === null ? null : Number(row[name]);
    }
    return { columns, rows };
  } finally {
    await client.end();
  }
}
