import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { faultTest } from "../support/fault_stand.ts";
import { run } from "../support/guarded_process.ts";
import { kcatProduce } from "../support/kcat.ts";
import type { Program } from "../support/worker_process.ts";

const MAX_BYTES = 400 << 20;

/** Greatest resident memory that the process has had. */
async function peakBytes(worker: Program): Promise<number> {
  const line = await run("grep", ["VmHWM", `/proc/${worker.pid}/status`]);
  const bytes = Number(line.match(/(\d+) kB/)![1]) * 1024;
  console.log(`peak ${bytes >> 20} MB`);
  return bytes;
}

faultTest("memory stays bounded with PostgreSQL away for a minute at full input rate", {
  ownsPostgres: true,
}, async (stand) => {
  await using worker = await stand.startWorker();
  await stand.produce(10_000);
  await stand.progress();
  stand.postgres!.stop();
  // More at once than the worker may hold, and then as much as it could count in a minute.
  const until = Date.now() + 60_000;
  await stand.produce(1_000_000);
  while (Date.now() < until) {
    await stand.produce(100_000);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  const peak = await peakBytes(worker);
  assert.ok(peak < MAX_BYTES, `${peak >> 20} MB`);
  await stand.postgres!.restart();
  await stand.assertExact();
  assert.ok(await peakBytes(worker) < MAX_BYTES);
});

faultTest("memory stays bounded with nothing but dead letters of 900 kB", {}, async (stand) => {
  await using worker = await stand.startWorker();
  // Random letters: the codec must not make them small on their way.
  for (let round = 0; round < 10; round++) {
    await kcatProduce(
      stand.topic,
      Array.from({ length: 60 }, () => {
        const bytes = crypto.getRandomValues(new Uint8Array(65_536));
        return `x${bytes.toHex().repeat(7)}`.slice(0, 900_000);
      }),
    );
  }
  await stand.caughtUp();
  const [row] = await stand.database.connection.query<{ letters: number }>({
    text: "select count(*) as letters from dead_letters where octet_length(value) = 900000",
  });
  assert.equal(row!.letters, 600);
  const peak = await peakBytes(worker);
  assert.ok(peak < MAX_BYTES, `${peak >> 20} MB`);
});

faultTest(
  "memory stays bounded with bad records that compress a thousandfold",
  { partitions: 1 },
  async (stand) => {
    await using worker = await stand.startWorker();
    const line = `bad ${"x".repeat(1_000)}`;
    await kcatProduce(stand.topic, Array.from({ length: 300_000 }, () => line), { codec: "zstd" });
    await stand.caughtUp();
    const [row] = await stand.database.connection.query<{ letters: number }>({
      text: "select count(*) as letters from dead_letters where reason = 'not_json'",
    });
    assert.equal(row!.letters, 300_000);
    const peak = await peakBytes(worker);
    assert.ok(peak < MAX_BYTES, `${peak >> 20} MB`);
  },
);

faultTest("memory stays bounded with many different names", {}, async (stand) => {
  await using worker = await stand.startWorker();
  const timestamp = Date.now();
  for (let round = 0; round < 5; round++) {
    await kcatProduce(
      stand.topic,
      Array.from(
        { length: 100_000 },
        (_, n) =>
          JSON.stringify({ lottery_name: `lottery ${round} ${n}`, event_type: "pay", timestamp }),
      ),
    );
  }
  await eventually(async () => await stand.recordsRead() === 500_000);
  const peak = await peakBytes(worker);
  assert.ok(peak < MAX_BYTES, `${peak >> 20} MB`);
  await stand.assertExact();
});
