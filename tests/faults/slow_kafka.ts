import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { run } from "../support/guarded_process.ts";
import { javaCommand } from "../support/kafka.ts";
import { type Program, runProgram } from "../support/worker_process.ts";

/** Sets what any client may be given in a second, or takes it back. */
async function setQuota({ topic }: FaultStand, ...change: string[]): Promise<void> {
  const [java, ...args] = await javaCommand(
    "kafka.admin.ConfigCommand",
    ...["--bootstrap-server", topic.brokers, "--entity-type", "clients", "--entity-default"],
    ...["--alter", ...change],
  );
  await run(java!, args);
}

/** It has read on as it was assigned, and thrown nothing away. */
function assertUndisturbed(worker: Program): void {
  assert.doesNotMatch(worker.stderr, /No records arrive|Waiting for Kafka/);
  assert.equal(worker.stderr.match(/Reading \d+ partition/g)?.length, 1, worker.stderr);
}

faultTest(
  "a quota that makes partitions wait for longer than a stall is kept, and nothing is read twice",
  { partitions: 12, ownsBroker: true },
  async (stand) => {
    await stand.produce(12_000); // 1 MB
    await setQuota(stand, "--add-config", "consumer_byte_rate=20000");
    await using worker = await stand.startWorker();
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await stand.caughtUp();
    await eventually(async () => {
      const metrics = await (await fetch(`${url}metrics`)).text();
      return Number(metrics.match(/^lottery_throttled_seconds_total (.+)$/m)![1]) > 30;
    });
    assertUndisturbed(worker);
    assert.equal(worker.stderr.match(/Kafka throttles this worker/g)?.length, 1);
    await setQuota(stand, "--add-config", "consumer_byte_rate=50000");
    const audit = await runProgram(["audit"], { env: stand.env() });
    assert.equal(audit.code, 0, audit.stdout + audit.stderr);
    await setQuota(stand, "--delete-config", "consumer_byte_rate");
    await stand.assertExact();
  },
);

faultTest(
  "a line so slow that one answer takes longer than any request may is read to its end",
  { partitions: 64, ownsBroker: true, proxiesBroker: true },
  async (stand) => {
    await stand.produce(60_000); // 5 MB, of which one answer has 4
    stand.proxy!.bytesPerSecond = 80_000;
    await using worker = await stand.startWorker();
    await stand.caughtUp();
    assertUndisturbed(worker);
    stand.proxy!.bytesPerSecond = Infinity;
    await stand.assertExact();
  },
);
