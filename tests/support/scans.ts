/**
 * Finds statements that read a large table from one end to the other, also within functions.
 * @module
 */

import assert from "node:assert/strict";
import { Connection, type Query, type Row } from "../../lib/io/postgres/session/connection.ts";

const LARGE_TABLES = ["lottery_aggregates", "lottery_hours"];

export type Reading = (connection: Connection) => Promise<unknown>;

/** Keeps what is sent. */
class RecordingConnection extends Connection {
  readonly sent: Query[] = [];

  override query<T extends Row>(query: Query): Promise<T[]> {
    this.sent.push(query);
    return super.query<T>(query);
  }
}

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Plan[];
}

/** What can be explained, with comments before it; not `begin`, `set` and so on. */
const STATEMENT = /^(\s|--.*\n)*(select|with|insert|update|delete)\b/i;

/** The large tables that a statement would read from one end to the other. */
async function scannedBy(connection: Connection, { text, values }: Query): Promise<string[]> {
  if (!STATEMENT.test(text)) return [];
  const [row] = await connection.query<{ "QUERY PLAN": readonly [{ readonly Plan: Plan }] }>({
    text: `explain (format json) ${text}`,
    ...values && { values },
  });
  const scanned = ({ Plans = [], ...plan }: Plan): string[] => [
    ...plan["Node Type"].includes("Seq Scan") && LARGE_TABLES.includes(plan["Relation Name"] ?? "")
      ? [plan["Relation Name"]!]
      : [],
    ...Plans.flatMap(scanned),
  ];
  return scanned(row!["QUERY PLAN"][0].Plan);
}

/** How often each large table was read so, by any session. */
async function scanCounts(connection: Connection): Promise<Record<string, number>> {
  const rows = await connection.query<{ relname: string; seq_scan: number }>({
    text: "select relname, seq_scan from pg_stat_user_tables where relname = any ($1)",
    values: [LARGE_TABLES],
  });
  return Object.fromEntries(rows.map(({ relname, seq_scan }) => [relname, seq_scan]));
}

/** Runs what reads, and says which of its statements scanned, and how often a large table was scanned. */
export async function scansOf(
  connection: Connection,
  { url, reading }: { readonly url: string; readonly reading: Reading },
): Promise<{ readonly statements: readonly string[]; readonly scans: number }> {
  const before = await scanCounts(connection);
  const recording = new RecordingConnection(url);
  await reading(recording);
  await recording[Symbol.asyncDispose](); // its session reports its statistics when it ends
  const after = await scanCounts(connection);
  const statements: string[] = [];
  for (const query of recording.sent) {
    const tables = await scannedBy(connection, query);
    if (tables.length > 0) statements.push(`${tables.join(", ")}: ${query.text}`);
  }
  assert.ok(recording.sent.length > 0);
  const scans = LARGE_TABLES.reduce((sum, name) => sum + after[name]! - before[name]!, 0);
  return { statements, scans };
}
