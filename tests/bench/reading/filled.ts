/**
 * A database that has counted for months, filled by SQL: only the tables that readers look at, and
 * a topic in which nothing waits.
 * @module
 */

import { type Config, parseConfig } from "../../../lib/core/settings/config.ts";
import { createReader, readerUrl } from "../../support/grafana.ts";
import { createTopic } from "../../support/kafka.ts";
import type { TestDatabase } from "../../support/postgres.ts";
import { runProgram } from "../../support/worker_process.ts";
import { settingsOf } from "../consumers.ts";
import type { Stand } from "../stand.ts";
import fillDay from "./fill.sql" with { type: "text" };

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const PASSWORD = "reads only";

export interface Filled extends AsyncDisposable {
  readonly database: TestDatabase;
  /** The database, for Grafana's role. */
  readonly readerUrl: string;
  /** Settings of a worker, and of the commands. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  /** The watermark: end of the last window. */
  readonly toMs: number;
  readonly rows: number;
}

/** Windows of that many days, up to now. */
export async function fill(stand: Stand, days: number): Promise<Filled> {
  await using opened = new AsyncDisposableStack();
  const topic = opened.use(await createTopic({ partitions: 4 }, stand.brokers));
  const database = opened.use(await stand.createDatabase());
  await createReader(database.url, PASSWORD);
  const env = settingsOf(topic, database);
  const started = await runProgram(["start", "--once"], { env }); // creates the tables
  if (started.code !== 0) throw new Error(`It failed with ${started.code}:\n${started.stderr}`);
  const toMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const rows = await fillTables(database, { fromMs: wholeHour(toMs) - days * DAY_MS, toMs });
  const parsed = parseConfig(env);
  if (!("config" in parsed)) throw new Error(JSON.stringify(parsed.problems));
  const { config } = parsed;
  const release = opened.move();
  return {
    database,
    readerUrl: readerUrl(database.url, PASSWORD),
    env,
    config,
    toMs,
    rows,
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

/** @returns rows of `lottery_aggregates`. */
async function fillTables(
  { connection }: TestDatabase,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<number> {
  let counted = 0;
  for (let startMs = fromMs; startMs < toMs; startMs += DAY_MS) {
    const bounds = [new Date(startMs), new Date(Math.min(toMs, startMs + DAY_MS))];
    const [row] = await connection.query<{ events: number }>({ text: fillDay, values: bounds });
    counted += row!.events;
  }
  await connection.query({
    text: `
      update kafka_offsets set
        counted = case when partition = 0 then $1::bigint else 0 end,
        dead = (select count(*) from dead_letters d where d.partition = kafka_offsets.partition),
        max_event_time = $2,
        caught_up_at = now()`,
    values: [counted, new Date(toMs)],
  });
  await connection.query({
    text:
      "update pipeline set watermark = $1::timestamptz, closed_up_to = $1::timestamptz - interval '1 minute'",
    values: [new Date(toMs)],
  });
  // As autovacuum leaves them.
  await connection.query({ text: "set statement_timeout = 0" });
  await connection.query({ text: "vacuum (analyze) lottery_aggregates" });
  await connection.query({ text: "vacuum (analyze)" });
  await connection.query({ text: "checkpoint" });
  const [row] = await connection.query<{ rows: number }>({
    text: "select count(*) as rows from lottery_aggregates",
  });
  return row!.rows;
}

function wholeHour(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}
