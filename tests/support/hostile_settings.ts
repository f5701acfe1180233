/**
 * Settings that others make for a database or a role, and that counting must not see.
 * @module
 */

import type { TestDatabase } from "./postgres.ts";
import { databaseName, type TestRole } from "./role.ts";

/** Each with what a session of ours has in its place. */
export const HOSTILE_SETTINGS: readonly {
  readonly name: string;
  readonly value: string;
  readonly ours: string;
}[] = [
  { name: "DateStyle", value: "German, DMY", ours: "ISO, MDY" },
  { name: "IntervalStyle", value: "sql_standard", ours: "postgres" },
  { name: "TimeZone", value: "Asia/Kolkata", ours: "UTC" },
  { name: "client_encoding", value: "LATIN1", ours: "UTF8" },
  { name: "bytea_output", value: "escape", ours: "hex" },
  { name: "extra_float_digits", value: "-15", ours: "1" },
  { name: "array_nulls", value: "off", ours: "on" },
  { name: "standard_conforming_strings", value: "off", ours: "on" },
  { name: "default_transaction_isolation", value: "repeatable read", ours: "read committed" },
  { name: "default_transaction_deferrable", value: "on", ours: "off" },
  { name: "row_security", value: "on", ours: "off" },
  { name: "session_replication_role", value: "replica", ours: "origin" },
  { name: "jit", value: "on", ours: "off" },
  { name: "lock_timeout", value: "1", ours: "10s" },
  { name: "statement_timeout", value: "2s", ours: "20s" },
  { name: "idle_in_transaction_session_timeout", value: "1s", ours: "20s" },
  { name: "idle_session_timeout", value: "1s", ours: "0" },
  { name: "tcp_keepalives_idle", value: "7200", ours: "60" },
  { name: "tcp_keepalives_interval", value: "75", ours: "10" },
  { name: "tcp_keepalives_count", value: "9", ours: "3" },
];

/** Makes them for the database, and for the role in it; some of them with another value. */
export async function makeHostile(
  { connection, url }: TestDatabase,
  { name: role }: TestRole,
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const { name, value } of HOSTILE_SETTINGS) {
    for (const owner of [`database ${databaseName(url)}`, `role ${role}`]) {
      await connection.query({ text: `alter ${owner} set ${name} = '${others[name] ?? value}'` });
    }
  }
}
