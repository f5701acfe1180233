import assert from "node:assert/strict";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { createRole } from "../support/role.ts";
import { serverTest } from "../support/servers.ts";
import { openStack } from "../support/stack.ts";
import { runProgram } from "../support/worker_process.ts";

const REFUSED =
  /Cannot use this database: a version before 0\.1\.0 made its tables\. Set DATABASE_URL to an empty database/;

const COMMANDS = [
  ["start"],
  ["start", "--once"],
  ["migrate"],
  ["migrate", "--sql"],
  ["doctor"],
  ["status"],
  ["audit"],
  ["reset", "--recount", "--yes"],
  ["dead-letters", "list"],
  ["dead-letters", "show", "0/1"],
  ["dead-letters", "replay", "0/1"],
];

/** Some of the tables that such a version made, and all that it noted of them. */
async function makeUnreleased(connection: Connection): Promise<void> {
  await connection.query({
    text: `
      create table lottery_migrations (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default now()
      );
      insert into lottery_migrations (version, name) values
        (1, 'tables'), (2, 'commit'), (3, 'alerts'), (4, 'offset history'),
        (5, 'replay and retention'), (6, 'output'), (7, 'thin history'), (8, 'storage'),
        (9, 'staging'), (10, 'guards'), (11, 'liveness'), (12, 'dead letter content'),
        (13, 'output review');
      create table pipeline (only_one boolean primary key default true);
      create table kafka_offsets (topic text, partition integer, primary key (topic, partition));
      create table dead_letter_staging (id bigint primary key)`,
  });
}

serverTest(
  "every command refuses a database that a version before the first release made, and changes nothing",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { connection } = stack.database;
    await makeUnreleased(connection);
    // A worker's role cannot even read what was noted.
    await using role = await createRole(stack.database);
    for (const command of COMMANDS) {
      for (const url of [stack.database.url, role.url]) {
        const { code, stdout, stderr } = await runProgram(command, {
          env: { ...stack.env, DATABASE_URL: url },
        });
        assert.notEqual(code, 0, `${command}: ${stdout}${stderr}`);
        assert.match(stdout + stderr, REFUSED, command.join(" "));
      }
    }
    const tables = await connection.query({
      text: "select from pg_tables where schemaname = 'public'",
    });
    assert.equal(tables.length, 4);
  },
);
