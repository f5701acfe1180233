import assert from "node:assert/strict";
import { countAll } from "../support/audit_stand.ts";
import { eventually } from "../support/eventually.ts";
import { CTRL_C, PseudoTerminal } from "../support/pseudo_terminal.ts";
import { readWithOurs } from "../support/record_reader.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, recordsRead } from "../support/stack.ts";
import { runProgram } from "../support/worker_process.ts";

/** Nothing of the demo may need what the machine has: the settings point nowhere. */
const env = { KAFKA_BROKERS: "127.0.0.1:1", DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };

const COUNTING =
  /^[\d,]+\/s · [1-9][\d,]* events · .*last commit .* · event time 2\d h \d+ min ago.* · http:\/\/127\.0\.0\.1:\d+\/$/;
const LINE = /^\d\d:\d\d:\d\d /;
/** As the status line uses them. */
const COLORS = [0, 2, 33, 36].map((code) => `\x1b[${code}m`);

serverTest(
  "demo shows one status line on a terminal, and leaves it clean",
  ["script"],
  async () => {
    await using terminal = await PseudoTerminal.start(["demo", "--speed", "60"], {
      columns: 300,
      env,
    });
    await terminal.shows(COUNTING);
    assert.ok(terminal.written.includes("\x1b[36mhttp:"));
    await terminal.press(CTRL_C);
    assert.equal(await terminal.exitCode(), 0);

    // Every row that is left is a line of the log; none is what remains of a status.
    const rows = terminal.rows;
    assert.equal(rows.pop(), "");
    for (const row of rows) assert.match(row, LINE, rows.join("\n"));
    assert.match(rows[0]!, /Event time starts 2\d h \d+ min ago, and passes 60 times as fast/);
    const stopped = rows.pop();
    const stopping = rows.findLast((row) => !row.includes("announces a jackpot"));
    assert.match(stopping!, / Stopping: committing what is counted$/);
    assert.match(stopped!, / Stopped: counted [\d,]+ events and kept [\d,]+ dead letters? in /);
  },
);

serverTest("start shows what it waits for and how long, without colours if so asked", [
  "script",
], async () => {
  await using terminal = await PseudoTerminal.start(["start"], {
    columns: 300,
    env: { ...env, NO_COLOR: "1" },
  });
  await terminal.shows(/^waiting for Kafka, [1-9]\d* s · 0 events · http:/);
  await terminal.press(CTRL_C);
  assert.equal(await terminal.exitCode(), 0);
  assert.match(
    terminal.rows.join("\n"),
    /WARN Waiting for Kafka.*\n.*Stopping.*\n.*Stopped: .*\n$/,
  );
  for (const color of COLORS) assert.ok(!terminal.written.includes(color));
});

serverTest("doctor names the right that is missing, and does not ask for it", [
  "script",
], async () => {
  await using terminal = await PseudoTerminal.start(["doctor"], {
    columns: 300,
    env: { ...env, DATABASE_URL: "postgres:///nothing?host=/not/there" },
  });
  await eventually(() => terminal.written.includes("2 problems need attention"));
  assert.equal(await terminal.exitCode(), 1);
  assert.match(terminal.written, /Add --allow-write=\/not\/there\/\.s\.PGSQL\.5432 to the flags/);
  assert.doesNotMatch(terminal.written, /\[y\/n/);
});

serverTest("produce and start --once show how far they are", [
  "script",
  "kafka",
  "postgres",
], async () => {
  await using stack = await openStack();
  const options = { columns: 300, env: stack.env };
  const bar = /▓*░* \d+ % {2}[\d,]+ of 1,500 records, /;

  await using produce = await PseudoTerminal.start(
    ["produce", "--count", "1500", "--rate", "1000"],
    options,
  );
  assert.equal(await produce.exitCode(), 0);
  assert.match(produce.written, bar);
  assert.match(produce.rows.join("\n"), /^.* Producing .*\n.* Sent 1500 records in .*\n$/);

  await using again = await PseudoTerminal.start(["produce", "--count", "1500"], options);
  await again.shows(
    /is in use: 1,500 records were written to it\. Send made-up events there\? \[y\/N\]/,
  );
  await again.press("n\r");
  assert.equal(await again.exitCode(), 1);
  assert.match(again.rows.join("\n"), /Nothing was sent\.\n$/);

  await using once = await PseudoTerminal.start(["start", "--once"], options);
  assert.equal(await once.exitCode(), 0);
  assert.match(once.written, bar);
  assert.doesNotMatch(once.rows.join("\n"), /▓|░/);
});

serverTest("produce and reset do what is answered on the terminal", [
  "script",
  "kafka",
  "postgres",
], async () => {
  await using stack = await openStack({ partitions: 1 });
  const options = { columns: 300, env: stack.env };
  const answered = async (args: readonly string[], question: RegExp, key: string) => {
    await using terminal = await PseudoTerminal.start(args, options);
    await terminal.shows(question);
    await terminal.press(`${key}\r`);
    const code = await terminal.exitCode();
    return { code, text: terminal.rows.join("\n") };
  };
  const produce = ["produce", "--count", "500", "--rate", "max"];
  assert.equal((await runProgram(produce, { env: stack.env })).code, 0);
  const sent = await answered(produce, /Send made-up events there\? \[y\/N\]/, "y");
  assert.equal(sent.code, 0, sent.text);
  assert.match(sent.text, /Sent 500 records/);
  assert.equal((await readWithOurs(stack.topic)).length, 1_000);

  await countAll(stack);
  assert.equal(await recordsRead(stack.database), 1_000);
  const rows = async () =>
    (await stack.database.connection.query({ text: "select from lottery_aggregates" })).length;
  const before = await rows();
  assert.ok(before > 0);
  const kept = await answered(["reset", "--recount"], / \[y\/N\]/, "n");
  assert.equal(kept.code, 1, kept.text);
  assert.match(kept.text, /Nothing was reset\.\n$/);
  assert.equal(await rows(), before);
  assert.equal(await recordsRead(stack.database), 1_000);
  const gone = await answered(["reset", "--recount"], / \[y\/N\]/, "y");
  assert.equal(gone.code, 0, gone.text);
  assert.equal(await rows(), 0);
  assert.equal(await recordsRead(stack.database), 0);
});
