import assert from "node:assert/strict";
import { auditReport } from "../support/audit_stand.ts";
import { eventually } from "../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../support/expectation.ts";
import { kcatProduce } from "../support/kcat.ts";
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

/** An event, and what should be counted of it. */
function event(expected: Expectation): string {
  expected.add("keno", "pay", NOW);
  return JSON.stringify({ lottery_name: "keno", event_type: "pay", timestamp: NOW });
}

serverTest(
  "start --once makes a row of each dead letter of a flood, and counts the events behind it",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, [...flood(expected), event(expected)]);
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 0, stderr);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);
  },
);

serverTest(
  "dead letters of a flood are audited, listed, shown and replayed, also after a worker was killed in it",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { topic, database, env } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, [...flood(expected), event(expected)]);
    {
      await using worker = await Program.start(["start"], { env });
      await eventually(async () => await recordsRead(database).catch(() => 0) > 0);
      worker.signal("SIGKILL");
    }
    await using _next = await Program.start(["start"], { env });
    await eventually(async () => await recordsRead(database) === FLOOD + 1);
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
    const show = await deadLetters("show", "0/70000");
    assert.match(show.stdout, /^Reason {7}timestamp_missing$/m);
    const replay = await deadLetters("replay", "0/70000", "--set", `timestamp=${NOW}`);
    assert.equal(replay.code, 0, replay.stderr);
    expected.add("mega_draw", "pay", NOW);
    await expected.assertStored(database.connection);
    assert.equal((await auditReport(stack)).verdict, "agrees");
  },
);
