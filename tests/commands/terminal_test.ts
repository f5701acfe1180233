import assert from "node:assert/strict";
import { CTRL_C, PseudoTerminal } from "../support/pseudo_terminal.ts";
import { serverTest } from "../support/servers.ts";
import { openStack } from "../support/stack.ts";

/** Nothing of the demo may need what the machine has: the settings point nowhere. */
const env = { KAFKA_BROKERS: "127.0.0.1:1", DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };

const COUNTING = /^[\d,]+\/s · [\d,]+ events · .*last commit .* · http:\/\/127\.0\.0\.1:\d+\/$/;
const COLOR = "\x1b[36m";

serverTest(
  "demo shows one status line on a terminal, and leaves it clean",
  ["script"],
  async () => {
    await using terminal = await PseudoTerminal.start(["demo"], { columns: 300, env });
    await terminal.shows(COUNTING);
    assert.ok(terminal.written.includes(COLOR));
    await terminal.press(CTRL_C);
    assert.equal(await terminal.exitCode(), 0);
    const rows = terminal.rows;
    assert.equal(rows.pop(), "");
    assert.match(
      rows.at(-1)!,
      /^\S+ Stopped: counted [\d,]+ events and kept [\d,]+ dead letters in /,
    );
    // Every row that is left is a line of the log; none is what remains of a status.
    for (const row of rows) assert.match(row, /^\d\d:\d\d:\d\d /, rows.join("\n"));
    assert.match(rows.at(-2)!, / Stopping: committing what is counted$/);
  },
);

serverTest("demo's status line has no colours with NO_COLOR", ["script"], async () => {
  await using terminal = await PseudoTerminal.start(["demo"], {
    columns: 300,
    env: { ...env, NO_COLOR: "1" },
  });
  await terminal.shows(COUNTING);
  for (const code of [0, 2, 33, 36]) assert.ok(!terminal.written.includes(`\x1b[${code}m`));
});

serverTest("start shows what it waits for, and how long", ["script"], async () => {
  await using terminal = await PseudoTerminal.start(["start"], { columns: 300, env });
  await terminal.shows(/^waiting for Kafka, [1-9]\d* s · 0 events · http:/);
  await terminal.press(CTRL_C);
  assert.equal(await terminal.exitCode(), 0);
  assert.match(
    terminal.rows.join("\n"),
    /WARN Waiting for Kafka.*\n.*Stopping.*\n.*Stopped: .*\n$/,
  );
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

  await using once = await PseudoTerminal.start(["start", "--once"], options);
  assert.equal(await once.exitCode(), 0);
  assert.match(once.written, bar);
  assert.doesNotMatch(once.rows.join("\n"), /▓|░/);
});
