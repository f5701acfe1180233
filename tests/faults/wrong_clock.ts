import assert from "node:assert/strict";
import { faultTest } from "../support/fault_stand.ts";
import { kcatProduce } from "../support/kcat.ts";
import { Program, runProgram } from "../support/worker_process.ts";

const DAY_MS = 86_400_000;

/** One event in each of the minutes from so many days ago. */
function eventsFrom(days: number, minutes: number): string[] {
  return Array.from({ length: minutes }, (_, n) =>
    JSON.stringify({
      lottery_name: "keno",
      event_type: "pay",
      timestamp: Date.now() - days * DAY_MS + n * 60_000,
    }));
}

faultTest(
  "a database whose clock is 45 days ahead loses nothing to retention, and deletes what is old once it is right",
  { ownsPostgres: true, postgresClock: "+45d" },
  async (stand) => {
    const env = (days: string) => ({
      ...stand.env(),
      AGGREGATES_RETENTION_DAYS: days,
      DEAD_LETTERS_RETENTION_DAYS: days,
    });
    await kcatProduce(stand.topic, eventsFrom(20, 500));
    await stand.produce(5_000);
    {
      await using worker = await stand.startWorker(env("30"));
      await stand.caughtUp();
      worker.signal("SIGTERM");
      assert.equal(await worker.exitCode(), 0, worker.stderr);
    }
    // It looks for what is old as soon as it starts.
    await using worker = await stand.startWorker(env("30"));
    await stand.produce(5_000);
    await stand.assertExact();
    await worker.printed(/PostgreSQL's clock is .* ahead of/);
    assert.doesNotMatch(worker.stderr, /Deleted|Another worker has committed/);
    for (const command of ["audit", "status"]) {
      const { code, stdout, stderr } = await runProgram([command], { env: env("30") });
      assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
    }

    stand.postgres!.stop();
    await stand.postgres!.restart();
    await stand.produce(5_000);
    await stand.assertExact();
    worker.signal("SIGTERM");
    await worker.exitCode();
    await using next = await Program.start(["start"], { env: env("10") });
    await next.printed(/Deleted 500 rows of counts older than 10 days/);
    await stand.produce(5_000);
    await stand.caughtUp();
    const { code, stdout, stderr } = await runProgram(["audit"], { env: env("10") });
    assert.equal(code, 0, stdout + stderr);
  },
);
