import assert from "node:assert/strict";
import { utf8 } from "../../core/records/batches.ts";
import { auditReport, countAll, hourAgo } from "../../support/audit_stand.ts";
import { Expectation } from "../../support/expectation.ts";
import { sendRawBatch } from "../../support/raw_batch.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

const EVENT_MS = hourAgo(1);
/** Record timestamps that say nothing about when a record was made, and what a dead letter keeps of them. */
const TIMES: readonly (readonly [timestampMs: number, kept: Date | null])[] = [
  [-5, null],
  [0, new Date(0)],
  [1, new Date(1)],
  [Math.floor(EVENT_MS / 1000), new Date(Math.floor(EVENT_MS / 1000))],
];

const event = (timestamp: number) =>
  utf8(JSON.stringify({ lottery_name: "a", event_type: "pay", timestamp }));

serverTest(
  "an event is counted, and replayed, whatever its producer took for the time of its record",
  ["kafka", "postgres"],
  async () => {
    // Or Kafka would delete what is old by these times, whenever it looks next.
    await using stack = await openStack({ partitions: 1, config: { "retention.ms": "-1" } });
    const { env, topic, database: { connection } } = stack;
    const expected = new Expectation();
    for (const [timestampMs] of TIMES) {
      const records = [{ value: event(EVENT_MS) }, { value: event(0) }];
      await sendRawBatch(topic, records, { codec: "gzip", timestampMs });
      expected.add("a", "pay", EVENT_MS);
      expected.addDead("timestamp_not_positive");
    }
    await countAll(stack);
    await expected.assertStored(connection);
    assert.deepEqual(
      await connection.query({
        text: "select record_timestamp from dead_letters order by kafka_offset",
      }),
      TIMES.map(([, kept]) => ({ record_timestamp: kept })),
    );
    assert.equal((await auditReport(stack)).code, 0);

    const repair = ["--reason", "timestamp_not_positive", "--set", `timestamp=${EVENT_MS}`];
    const replayed = await runProgram(["dead-letters", "replay", ...repair], { env });
    assert.equal(replayed.code, 0, replayed.stdout);
    for (const _ of TIMES) expected.add("a", "pay", EVENT_MS);
    await expected.assertStored(connection);
    assert.equal((await auditReport(stack)).code, 0);
  },
);
