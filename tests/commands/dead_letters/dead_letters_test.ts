import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { Expectation } from "../../support/expectation.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, type TestStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

const NOW = Date.now();
const SECONDS = Math.floor(NOW / 1000);

/** A topic whose records are counted, one of which is an event. */
async function countedStack(...lines: readonly (string | Uint8Array)[]): Promise<TestStack> {
  const stack = await openStack({ partitions: 1 });
  await kcatProduce(stack.topic, [event({}), ...lines]);
  const { code, stderr } = await runProgram(["start", "--once"], { env: stack.env });
  assert.equal(code, 0, stderr);
  return stack;
}

function event(changes: Record<string, unknown>): string {
  return JSON.stringify({
    lottery_name: "mega_draw",
    event_type: "pay",
    timestamp: NOW,
    ...changes,
  });
}

async function deadLetters({ env }: TestStack, ...args: readonly string[]) {
  return await runProgram(["dead-letters", ...args], { env });
}

/** What should be stored: the one event, and the replayed ones; all dead letters stay. */
async function assertStored(
  { database }: TestStack,
  replayed: readonly (readonly [lottery: string, type: string, timestampMs: number])[],
  dead: Readonly<Record<string, number>>,
): Promise<void> {
  const expected = new Expectation();
  expected.add("mega_draw", "pay", NOW);
  for (const each of replayed) expected.add(...each);
  for (const [reason, count] of Object.entries(dead)) {
    for (let n = 0; n < count; n++) expected.addDead(reason);
  }
  await expected.assertStored(database.connection);
  const [books] = await database.connection.query({
    text: `
      select
        (select sum(event_count) from lottery_aggregates)::bigint + deleted_events as events,
        (select sum(counted) from kafka_offsets)::bigint + replayed_letters as counted
      from pipeline`,
  });
  assert.equal(books!.events, books!.counted, "books");
}

serverTest(
  "dead-letters list and show never send a stranger's control characters to the terminal",
  ["kafka", "postgres"],
  async () => {
    const evil = '{"lottery_name":"\x1b]0;owned\x07\x9b31m\u202e","broken';
    await using stack = await countedStack(evil, new Uint8Array([0x1b, 0xff, 0x5b]), "");
    // Everything that a terminal could obey, but for the line feeds between our lines.
    const obeyed = /[^\P{Cc}\n]|\p{Cf}/u;

    const list = await deadLetters(stack, "list");
    assert.equal(list.code, 0, list.stderr);
    assert.doesNotMatch(list.stdout, obeyed);
    assert.match(list.stdout, /^POSITION +REASON +RECEIVED/);
    assert.match(list.stdout, /^0\/1 +not_json .*\\u\{1b\}\]0;owned\\u\{7\}\\u\{9b\}31m/m);
    assert.match(list.stdout, /^0\/2 +not_utf8 .*\\x1b\\xff\[$/m);
    assert.match(list.stdout, /^0\/3 +tombstone .* null$/m);

    const show = await deadLetters(stack, "show", "0/1");
    assert.doesNotMatch(show.stdout, obeyed);
    assert.match(show.stdout, /^Reason {7}not_json$/m);
    assert.match(show.stdout, /^ {2}00000000 {2}7b 22 6c 6f 74 74/m);
    await stack.database.connection.query({
      text: `
        update dead_letters
        set key = '\\x6b1b',
          headers = '[{"key": "trace", "value_base64": "YWI="}, {"key_base64": "/w==", "value_base64": null}]'
        where kafka_offset = 2`,
    });
    const headers = await deadLetters(stack, "show", "0/2");
    assert.doesNotMatch(headers.stdout, obeyed);
    assert.match(headers.stdout, /^Position {5}test-[^ ]+ 0\/2$/m);
    assert.match(headers.stdout, /^Header {7}trace: ab\nHeader {7}\\xff: null$/m);
    assert.match(headers.stdout, /^Key: 2 bytes\n {2}k\\[^\n]+\n {2}00000000 {2}6b 1b /m);
    const missing = await deadLetters(stack, "show", "0/0");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /No dead letter at 0\/0/);

    const json = await deadLetters(stack, "list", "--json", "--limit", "2", "--reason", "not_json");
    assert.doesNotMatch(json.stdout, /[^\n\x20-\x7e]/);
    const [letter, ...others] = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(others, []);
    assert.equal(letter.offset, 1);
    assert.equal(
      new TextDecoder().decode(Uint8Array.fromBase64(letter.value_base64)),
      evil,
    );
    const bounded = await deadLetters(stack, "list", "--limit", "2");
    assert.match(bounded.stdout, /Only the newest 2 are shown: use a filter or a higher --limit/);
  },
);

serverTest(
  "dead-letters replay counts what is repaired, refuses what is not, and changes nothing in a dry run",
  ["kafka", "postgres"],
  async () => {
    await using stack = await countedStack(
      event({ timestamp: SECONDS }),
      event({ timestamp: SECONDS, lottery_name: "keno" }),
      event({ timestamp: undefined }),
      "{not json",
    );
    const dead = { timestamp_in_seconds: 2, timestamp_missing: 1, not_json: 1 };
    const byReason = ["--reason", "timestamp_in_seconds", "--set", "timestamp=seconds"];

    const rehearsal = await deadLetters(stack, "replay", ...byReason, "--dry-run");
    assert.equal(rehearsal.code, 0, rehearsal.stderr);
    assert.match(rehearsal.stdout, /^0\/2 +would be counted into .* keno {2}pay$/m);
    assert.match(rehearsal.stdout, /^2 would be counted, 0 refused. Nothing was changed.$/m);
    assert.doesNotMatch(rehearsal.stdout, /a higher --limit/);
    const limited = await deadLetters(stack, "replay", ...byReason, "--dry-run", "--limit", "1");
    assert.match(
      limited.stdout,
      /^1 would .*\nOnly the newest 1 were replayed: use a higher --limit/m,
    );
    await assertStored(stack, [], dead);

    const unrepaired = await deadLetters(stack, "replay", "0/1", "0/4", "0/9");
    assert.equal(unrepaired.code, 1);
    assert.match(unrepaired.stdout, /^0\/1 +refused: timestamp_in_seconds$/m);
    assert.match(unrepaired.stdout, /^0\/4 +refused: not_json$/m);
    assert.match(unrepaired.stdout, /^0\/9 +refused: no such dead letter$/m);
    await assertStored(stack, [], dead);

    // Judged against the record's own timestamp, as every record.
    const tooLate = `timestamp=${NOW + 86_400_000}`;
    const future = await deadLetters(stack, "replay", "0/3", "--set", tooLate);
    assert.equal(future.code, 1);
    assert.match(future.stdout, /refused: timestamp_in_future/);

    assert.equal((await deadLetters(stack, "replay", ...byReason)).code, 0);
    assert.equal(
      (await deadLetters(
        stack,
        ...["replay", "0/4", "--set", "timestamp=2023-01-01T00:00:30Z"],
        ...["--set", "lottery_name=keno", "--set", "event_type=clicked"],
      )).code,
      0,
    );
    const replayed = [
      ["mega_draw", "pay", SECONDS * 1000],
      ["keno", "pay", SECONDS * 1000],
      ["keno", "clicked", Date.UTC(2023, 0, 1)],
    ] as const;
    await assertStored(stack, replayed, dead);

    const again = await deadLetters(stack, "replay", "0/1", ...byReason.slice(2));
    assert.equal(again.code, 1);
    assert.match(again.stdout, /refused: already replayed at \d{4}/);
    const none = await deadLetters(stack, "replay", ...byReason);
    assert.match(none.stdout, /^0 counted, 0 refused.$/m);
    await assertStored(stack, replayed, dead);

    const shown = await deadLetters(stack, "show", "0/4");
    assert.match(shown.stdout, /^Replayed as: 72 bytes$/m);
    const left = await deadLetters(stack, "list");
    assert.deepEqual(left.stdout.match(/^0\/\d/gm), ["0/3"]);
    const listed = await deadLetters(stack, "list", "--replayed");
    assert.deepEqual(listed.stdout.match(/^0\/\d/gm), ["0/4", "0/2", "0/1"]);
  },
);

serverTest(
  "dead-letters replay counts as it is what is acceptable now, because a setting has changed",
  ["kafka", "postgres"],
  async () => {
    await using opened = await openStack({ partitions: 1 });
    const strict = { ...opened, env: { ...opened.env, MAX_FUTURE_SECONDS: "0" } };
    const soon = Date.now() + 120_000;
    await kcatProduce(opened.topic, [event({ timestamp: soon })]);
    assert.equal((await runProgram(["start", "--once"], { env: strict.env })).code, 0);
    const refused = await deadLetters(strict, "replay", "0/0");
    assert.match(refused.stdout, /^0\/0 +refused: timestamp_in_future$/m);
    const reset = await runProgram(["reset", "--settings", "--yes"], { env: opened.env });
    assert.equal(reset.code, 0, reset.stderr);
    assert.equal((await deadLetters(opened, "replay", "0/0")).code, 0);
    const expected = new Expectation();
    expected.add("mega_draw", "pay", soon);
    expected.addDead("timestamp_in_future");
    await expected.assertStored(opened.database.connection);
    const audit = await runProgram(["audit"], { env: opened.env });
    assert.equal(audit.code, 3, audit.stdout);
    assert.match(audit.stdout, /^rows of counts +1 +0 +0$/m);
  },
);

serverTest("dead-letters replay wants to be told which ones", [], async () => {
  for (const args of [[], ["3"], ["--set", "timestamp=soon"], ["--reason", "ugly"]]) {
    const { code, stderr } = await runProgram(["dead-letters", "replay", ...args]);
    assert.equal(code, 2, stderr);
  }
});

serverTest(
  "dead-letters replay refuses a window that is deleted",
  ["kafka", "postgres"],
  async () => {
    await using stack = await countedStack(event({ timestamp: SECONDS }));
    await stack.database.connection.query({
      text: "update pipeline set aggregates_horizon = to_timestamp($1)",
      values: [SECONDS - SECONDS % 60 + 60],
    });
    const { code, stdout } = await deadLetters(
      stack,
      ...["replay", "0/1", "--set", "timestamp=seconds"],
    );
    assert.equal(code, 1);
    assert.match(stdout, /refused: expired_window \(.*; windows before .* are deleted\)/);
    await assertStored(stack, [], { timestamp_in_seconds: 1 });
  },
);

serverTest(
  "dead-letters replay counts each once, by many at a time and killed in the middle",
  ["kafka", "postgres"],
  async () => {
    const total = 6_000;
    await using stack = await countedStack(
      ...Array.from({ length: total }, () => event({ timestamp: SECONDS })),
    );
    const args = [
      ...["dead-letters", "replay", "--reason", "timestamp_in_seconds", "--limit", String(total)],
      ...["--set", "timestamp=seconds"],
    ];
    const countReplayed = async () => {
      const [row] = await stack.database.connection.query<{ replayed: number }>({
        text: "select count(replayed_at) as replayed from dead_letters",
      });
      return row!.replayed;
    };
    {
      await using killed = await Program.start(args, { env: stack.env });
      await eventually(async () => await countReplayed() > 0);
      killed.signal("SIGKILL");
      await killed.exitCode();
    }
    assert.ok(await countReplayed() < total, "killed before the end");
    await Promise.all(Array.from({ length: 3 }, () => runProgram(args, { env: stack.env })));
    assert.equal(await countReplayed(), total);
    await assertStored(
      stack,
      Array.from({ length: total }, () => ["mega_draw", "pay", SECONDS * 1000] as const),
      { timestamp_in_seconds: total },
    );
  },
);
