/** Who lives, behind a pooler that renames sessions. */

import assert from "node:assert/strict";
import { WORKER_PREFIX } from "../../lib/core/offsets/coverage.ts";
import { eventually } from "../support/eventually.ts";
import { MailServer } from "../support/mail_server.ts";
import { PgBouncer } from "../support/pgbouncer.ts";
import { serverTest } from "../support/servers.ts";
import { openStack } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

serverTest(
  "behind a pooler that adds hosts to names workers live until they end, and one that is killed is told alone",
  ["kafka", "postgres", "pgbouncer", "openssl"],
  async () => {
    await using mails = await MailServer.start();
    await using stack = await openStack();
    await using pgBouncer = await PgBouncer.start(stack.database.url, {
      poolMode: "session",
      settings: { application_name_add_host: "1" },
    });
    const env = {
      ...stack.env,
      ...mails.env,
      DATABASE_URL: `${pgBouncer.url}?application_name=myapp`,
    };
    const [a, b, killed] = await Promise.all(
      Array.from({ length: 3 }, () => Program.start(["start"], { env })),
    );
    await using _programs = disposeAll([a!, b!, killed!]);
    for (const program of [a!, b!, killed!]) await program.printed(/"Reading \d/);
    killed!.signal("SIGKILL");
    await killed!.exitCode();
    const living = async () => {
      const { stdout } = await runProgram(["status", "--json"], { env });
      return JSON.parse(stdout).workers.filter(({ is_alive }: { is_alive: boolean }) => is_alive);
    };
    assert.ok((await living()).length >= 2);

    const { text } = await mails.received(/A worker on \S+ died/);
    const [dead] = text.match(/lottery-worker-\w+/)!;
    const workers = await living();
    assert.equal(workers.length, 2);
    assert.ok(workers.every(({ id }: { id: string }) => id !== dead));
    const told = [a!, b!].flatMap(({ stderr }) =>
      Array.from(
        stderr.matchAll(/"Worker (\S+) on \S+ died: its entry is no longer renewed"/g),
        ([, id]) => id,
      )
    );
    assert.deepEqual(told, [dead], "by one, and of nobody else");

    const { code, stderr } = await runProgram(["reset", "--recount", "--yes"], { env });
    assert.equal(code, 1);
    assert.match(stderr, /Cannot reset while workers are running: lottery-worker-\w+ on /);
    for (const program of [a!, b!]) {
      program.signal("SIGTERM");
      assert.equal(await program.exitCode(), 0, program.stderr);
    }
    const rows = await stack.database.connection.query({ text: "select id from workers" });
    assert.deepEqual(rows, [], "who ends well takes its entry back");
  },
);

serverTest(
  "a worker's sessions are called as the URL says and by its id, as far as there is room",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    for (const name of ["myapp", "ü".repeat(80)]) {
      const url = new URL(stack.database.url);
      url.searchParams.set("application_name", name);
      await using _worker = await Program.start(["start"], {
        env: { ...stack.env, DATABASE_URL: url.href },
      });
      const expected = new RegExp(
        `^${name === "myapp" ? "myapp" : `\\?{${63 - 24}}`} ${WORKER_PREFIX}\\w{8}$`,
      );
      await eventually(async () => {
        const sessions = await stack.database.connection.query<{ application_name: string }>({
          text: `
            select application_name from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`,
        });
        return sessions.some(({ application_name }) => expected.test(application_name));
      });
    }
  },
);

function disposeAll(programs: readonly AsyncDisposable[]): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  for (const program of programs) stack.use(program);
  return stack;
}
