/**
 * What a worker takes: CPU time until it reads, CPU time while nothing comes, and memory however much comes.
 * @module
 */

import { freePort } from "../support/free_port.ts";
import { createTopic } from "../support/kafka.ts";
import { Program } from "../support/worker_process.ts";
import { settingsOf, startOnce } from "./consumers.ts";
import { makeTopic } from "./load.ts";
import { usageOf } from "./processes.ts";
import { type Finding, median } from "./report.ts";
import type { Stand } from "./stand.ts";

export async function* startAndIdle(stand: Stand): AsyncGenerator<Finding> {
  await using topic = await createTopic({ partitions: 4 }, stand.brokers);
  await using database = await stand.createDatabase();
  await using worker = await Program.start(["start"], {
    env: { ...settingsOf(topic, database), HTTP_PORT: String(freePort()) },
  });
  await worker.printed(/Reading 4 partition/);
  const { cpuSeconds } = (await usageOf(worker.pid))!;
  yield {
    what: "process start to joined and reading",
    measured: `${cpuSeconds.toFixed(2)} s CPU`,
    goal: "< 1.5 s",
    isReached: cpuSeconds < 1.5,
  };

  const settleMs = 3_000;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const durationMs = stand.isQuick ? 5_000 : 60_000;
  const before = (await usageOf(worker.pid))!.cpuSeconds;
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const share = ((await usageOf(worker.pid))!.cpuSeconds - before) / (durationMs / 1000);
  yield {
    what: `idle for ${durationMs / 1000} s`,
    measured: `${(share * 100).toFixed(2)} % of a core`,
    goal: "< 1 %",
    isReached: share < 0.01,
  };
}

export async function* memory(stand: Stand): AsyncGenerator<Finding> {
  const events = stand.isQuick ? 2_000_000 : 20_000_000;
  await using topic = await makeTopic(stand.brokers, { events });
  await using database = await stand.createDatabase();
  const { usage, residentMegabytes } = await startOnce(stand, settingsOf(topic, database));
  yield {
    what: `peak memory over ${events / 1e6} M events`,
    measured: `${Math.round(usage.peakMegabytes)} MB`,
    goal: "< 250 MB",
    isReached: usage.peakMegabytes < 250,
  };
  // A twentieth of the way is a million of twenty; what comes before is the start.
  const rest = residentMegabytes.slice(Math.ceil(residentMegabytes.length / 20));
  const half = Math.floor(rest.length / 2);
  const [early, late] = [median(rest.slice(0, half)), median(rest.slice(half))];
  yield {
    what: "memory in the second half beside the first",
    measured: `${Math.round(late)} MB`,
    beside: `${Math.round(early)} MB`,
    ratio: late / early,
    goal: "flat: ≤ 1.1",
    isReached: late / early <= 1.1,
  };
}
