import assert from "node:assert/strict";
import { auditReport } from "../support/audit_stand.ts";
import { eventually } from "../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../support/expectation.ts";
import { kcatProduce } from "../support/kcat.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { Program, runProgram } from "../support/worker_process.ts";

const FLOOD = 120_000;
const NOW = Date.now();

/** Events without a timestamp, and what should be kept of them. */
function flood(expected: Expectation): string[] {
  return Array.from({ length: FLOOD }, (_, n) => {
    expected.addDead("timestamp_missing");
    return `{"lottery_name":"mega_draw","event_type":"pay","n":${n}}`;
  });
}

/** Letters that are staged, and commits that ever staged some. */
async function staging({ connection }: TestDatabase) {
  const [row] = await connection.query<{ letters: number; commits: number }>({
    text: `
      select
        (select coalesce(sum(letters), 0)::bigint from dead_letter_staging) as letters,
        coalesce(pg_sequence_last_value('dead_letter_staging_id_seq'), 0) as commits`,
  });
  return row!;
}

serverTest(
  "start --once leaves no dead letter of a flood staged",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, flood(expected));
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 0, stderr);
    const { letters, commits } = await staging(database);
    assert.ok(commits > 0, "some were staged");
    assert.equal(letters, 0);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);
  },
);

serverTest(
  "dead letters that are staged are audited, listed, shown and replayed; a worker makes rows of them",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, flood(expected));
    {
      await using worker = await Program.start(["start"], { env });
      await eventually(async () => await recordsRead(database) === FLOOD);
      worker.signal("SIGKILL"); // before the flood was over for long enough
    }
    const staged = await staging(database);
    assert.ok(staged.letters > 0);
    await expected.assertStored(database.connection);

    const report = await auditReport(stack);
    assert.deepEqual([report.code, report.verdict], [0, "agrees"]);
    const status = await runProgram(["status", "--json"], { env });
    assert.deepEqual(JSON.parse(status.stdout).dead_letters, [
      { reason: "timestamp_missing", records: FLOOD, replayed: 0 },
    ]);
    const deadLetters = (...args: string[]) => runProgram(["dead-letters", ...args], { env });
    const list = await deadLetters("list", "--limit", "1");
    assert.match(list.stdout, new RegExp(`^0/${FLOOD - 1} +timestamp_missing`, "m"));
    const [{ offset } = { offset: 0 }] = await database.connection.query<{ offset: number }>({
      text: "select kafka_offset as offset from staged_dead_letters limit 1",
    });
    const show = await deadLetters("show", `0/${offset}`);
    assert.match(show.stdout, /^Reason {7}timestamp_missing$/m);

    const replay = await deadLetters("replay", `0/${offset}`, "--set", `timestamp=${NOW}`);
    assert.equal(replay.code, 0, replay.stderr);
    expected.add("mega_draw", "pay", NOW);
    await expected.assertStored(database.connection);
    assert.ok((await staging(database)).letters < staged.letters, "it became a row for that");
    assert.equal((await auditReport(stack)).verdict, "agrees");

    await using _worker = await Program.start(["start"], { env });
    await kcatProduce(topic, flood(expected));
    await eventually(async () => await recordsRead(database) === 2 * FLOOD);
    await eventually(async () => (await staging(database)).letters === 0);
    assert.ok((await staging(database)).commits > staged.commits);
    await expected.assertStored(database.connection);
  },
);
