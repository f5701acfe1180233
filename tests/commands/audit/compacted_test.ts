/** A topic from which Kafka removes records that a newer one with the same key follows. */

import assert from "node:assert/strict";
import { makeLines } from "../../support/event_lines.ts";
import { Expectation } from "../../support/expectation.ts";
import { setCleanupPolicy } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

const REFUSED =
  /its cleanup\.policy is compact.*To count the remaining records anyway, set ON_DATA_LOSS=continue/;

serverTest(
  "a compacted topic is refused by start, doctor and status, before anything of it is counted",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { env, topic, database } = stack;
    await kcatProduce(topic, makeLines(1_000, new Expectation()));
    await setCleanupPolicy(topic, "compact");
    for (const args of [["start"], ["start", "--once"]]) {
      const { code, stderr } = await runProgram(args, { env });
      assert.equal(code, 1, stderr);
      assert.match(stderr, REFUSED);
    }
    assert.equal(await recordsRead(database), 0);
    const doctor = await runProgram(["doctor"], { env });
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, new RegExp(`Topic ${topic.name}: .*${REFUSED.source}`));
    const status = await runProgram(["status"], { env });
    assert.equal(status.code, 1);
    assert.match(status.stdout, /^Topic \S+ \(compacted\), group /m);
    assert.match(status.stdout, REFUSED);
  },
);

serverTest(
  "a compacted topic is counted with ON_DATA_LOSS=continue, and it is said once what that means",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const env = { ...stack.env, ON_DATA_LOSS: "continue" };
    const expected = new Expectation();
    await kcatProduce(stack.topic, makeLines(1_000, expected));
    await setCleanupPolicy(stack.topic, "compact");
    const { code, stderr } = await runProgram(["start", "--once"], { env });
    assert.equal(code, 0, stderr);
    assert.equal(
      stderr.match(/records that Kafka removes before they are read are not counted/g)?.length,
      1,
    );
    await expected.assertStored(stack.database.connection);
    const doctor = await runProgram(["doctor"], { env });
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.match(doctor.stdout, /^ok +Topic .*; note that the topic is compacted/m);
    const status = await runProgram(["status"], { env });
    assert.equal(status.code, 0, status.stdout);
    assert.match(status.stdout, /^Topic \S+ \(compacted\), group /m);
  },
);
