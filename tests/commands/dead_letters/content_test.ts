import assert from "node:assert/strict";
import { auditReport, countAll } from "../../support/audit_stand.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { sendRawBatch } from "../../support/raw_batch.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

const EVENT = JSON.stringify({
  lottery_name: "forged",
  event_type: "pay",
  timestamp: Date.now(),
});

/** What somebody may change of a dead letter by hand, in SQL. */
const CHANGES: readonly (readonly [name: string, sql: string])[] = [
  ["its value", `value = convert_to('${EVENT}', 'UTF8')`],
  ["its key", "key = 'another'"],
  ["its headers", `headers = '[{"key": "h", "value_base64": null}]'`],
  ["the time of its record", "record_timestamp = record_timestamp + interval '1 s'"],
  ["its size", "value_size = 5000000, record_sha256 = 'none'"],
  ["its headers to none that are", "headers = '{}'"],
  ["its headers to nothing", "headers = 'null'"],
  ["a header to a number", "headers = '[1]'"],
  ["a header to what is no base64", `headers = '[{"key": "a", "value_base64": "***"}]'`],
  ["the time of its record to forever", "record_timestamp = 'infinity'"],
  ["the time of its record to one that no Date can be", "record_timestamp = '294000-01-01'"],
  ["its hash alone", "content_sha256 = sha256('')"],
  [
    "its value and its hash",
    `value = '{}', content_sha256 = letter_sha256(
      record_timestamp, key, '{}', headers, key_size, value_size, headers_size, record_sha256
    )`,
  ],
];

serverTest(
  "audit names a dead letter of which anything was changed by hand, and replay counts none",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { env, database: { connection } } = stack;
    await kcatProduce(stack.topic, [EVENT, '{"lottery_name":"a"}']);
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");
    await connection.query({ text: "create table before as table dead_letters" });

    for (const [name, sql] of CHANGES) {
      await connection.query({ text: `update dead_letters set ${sql}` });
      const report = await auditReport(stack);
      assert.equal(report.verdict, "wrong", name);
      assert.deepEqual(report.dead_letter_differences, [{
        partition: 0,
        offset: 1,
        stored: "event_type_missing, content changed",
        recounted: "event_type_missing, as received",
      }], name);
      if (!sql.includes("letter_sha256")) {
        const { code, stdout } = await runProgram(["dead-letters", "replay", "0/1"], { env });
        assert.equal(code, 1);
        assert.match(stdout, /refused: its content was changed after it was received/);
        const shown = await runProgram(["dead-letters", "show", "0/1"], { env });
        assert.match(shown.stdout, /^Content +CHANGED after it was received/m);
        const list = await runProgram(["dead-letters", "list", "--json"], { env });
        assert.equal(JSON.parse(list.stdout).intact, false, name);
      }
      await connection.query({
        text: "truncate dead_letters; insert into dead_letters table before",
      });
    }
    assert.equal((await auditReport(stack)).verdict, "agrees");
  },
);

serverTest(
  "a dead letter that was changed into what no record can be holds up no others",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { env, database: { connection } } = stack;
    await kcatProduce(stack.topic, Array.from({ length: 3 }, () => '{"lottery_name":"a"}'));
    await countAll(stack);
    await connection.query({
      text: `
        update dead_letters
        set
          headers = '[1, {"key": "kept", "value_base64": null}]', record_timestamp = 'infinity',
          received_at = 'infinity', content_sha256 = null
        where kafka_offset = 1`,
    });
    const list = await runProgram(["dead-letters", "list"], { env });
    assert.match(list.stdout, /^0\/1 +event_type_missing +- +- +\{"lottery_name":"a"\}$/m);
    assert.equal(list.stdout.match(/event_type_missing/g)!.length, 3);
    const shown = await runProgram(["dead-letters", "show", "0/1"], { env });
    assert.match(shown.stdout, /^Content +CHANGED[^]*^Header +kept: null$/m);
    const repair = ["--set", "event_type=pay", "--set", `timestamp=${Date.now()}`];
    const replay = ["replay", "--reason", "event_type_missing", ...repair];
    const replayed = await runProgram(["dead-letters", ...replay], { env });
    assert.match(replayed.stdout, /^0\/1 +refused: its content was changed/m);
    assert.match(replayed.stdout, /^2 counted, 1 refused\.$/m);
    const { dead_letter_differences } = await auditReport(stack);
    assert.deepEqual(dead_letter_differences.map(({ offset }) => offset), [1]);
  },
);

serverTest(
  "a record that is too large leaves its beginning, its size and its hash",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { env } = stack;
    const [size, kept] = [5_000_000, 1 << 20];
    await sendRawBatch(stack.topic, [{
      value: { length: size, byte: 0x78 },
      headers: [
        { key: "small", value: { length: 3, byte: 0x61 } },
        { key: "large", value: { length: size, byte: 0x62 } },
      ],
    }], { codec: "zstd" });
    await countAll(stack);
    assert.equal((await auditReport(stack)).verdict, "agrees");

    const list = await runProgram(["dead-letters", "list"], { env });
    assert.match(list.stdout, /0\/0 +value_too_large .*x{60}… \(5000000 bytes\)/);
    const { stdout: shown } = await runProgram(["dead-letters", "show", "0/0"], { env });
    assert.match(
      shown,
      /^Too large +only part of it is kept; SHA-256 of the record [0-9a-f]{64}$/m,
    );
    assert.match(shown, /^Headers +50000\d\d bytes \(1 header kept\)$/m);
    assert.match(shown, /^Header +small: aaa$/m);
    assert.match(shown, /^Value: 5000000 bytes \(first 1048576 kept\)$/m);
    const { stdout: json } = await runProgram(["dead-letters", "list", "--json"], { env });
    const letter = JSON.parse(json);
    assert.equal(letter.cut.value_size, size);
    assert.equal(Uint8Array.fromBase64(letter.value_base64).length, kept);
    const replay = await runProgram(["dead-letters", "replay", "0/0"], { env });
    assert.match(replay.stdout, /refused: value_too_large/);
  },
);
