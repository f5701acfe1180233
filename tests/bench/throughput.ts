/**
 * How fast `start --once` counts a topic, beside Kafka's own consumer on the same topic.
 * Both run in turn, so that a machine that slows down slows down both.
 * @module
 */

import { consumerPerformance, settingsOf, startOnce } from "./consumers.ts";
import { type Load, makeTopic } from "./load.ts";
import { compared, type Finding, median, rate } from "./report.ts";
import type { Stand } from "./stand.ts";

interface Pace {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
}

/** Medians of some rounds on a topic of this load. */
async function pace(stand: Stand, load: Omit<Load, "events">): Promise<Pace> {
  const events = stand.isQuick ? 1_000_000 : 5_000_000;
  await using topic = await makeTopic(stand.brokers, { events, ...load });
  const rounds: Pace[] = [];
  for (let round = 0; round < (stand.isQuick ? 1 : 5); round++) {
    const theirs = await consumerPerformance(topic, events);
    await using database = await stand.createDatabase();
    const { eventsPerSecond: ours } = await startOnce(stand, settingsOf(topic, database));
    rounds.push({ ours, theirs, ratio: ours / theirs });
  }
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    theirs: median(rounds.map(({ theirs }) => theirs)),
    ratio: median(rounds.map(({ ratio }) => ratio)),
  };
}

function finding(what: string, { ours, theirs, ratio }: Pace, least: number): Finding {
  const beside = `ConsumerPerformance ${rate(theirs)}`;
  return compared({ what, measured: rate(ours), beside, ratio, least });
}

export async function* throughput(stand: Stand): AsyncGenerator<Finding> {
  yield finding("any JSON", await pace(stand, { form: "any JSON" }), 0.45);
  const compact = await pace(stand, {});
  yield finding("compact JSON", compact, 0.7);
  for (const codec of stand.isQuick ? ["lz4"] as const : ["gzip", "lz4", "zstd"] as const) {
    yield finding(`compact JSON, ${codec}`, await pace(stand, { codec }), 0.7 * 0.7);
  }
  const perSecond = await badPace(stand);
  yield {
    what: "nothing but bad events, kept as rows",
    measured: rate(perSecond),
    beside: `compact JSON ${rate(compact.ours)}`,
    ratio: perSecond / compact.ours,
    goal: `≥ ${rate(LEAST_BAD)}`,
    isReached: perSecond >= LEAST_BAD,
  };
}

/** Bad events a second that a worker has to keep. */
const LEAST_BAD = 100_000;

/** Median of how fast bad events become dead letters. */
async function badPace(stand: Stand): Promise<number> {
  const events = stand.isQuick ? 150_000 : 2_000_000;
  await using topic = await makeTopic(stand.brokers, { events, form: "bad" });
  const rounds: number[] = [];
  for (let round = 0; round < (stand.isQuick ? 1 : 5); round++) {
    await using database = await stand.createDatabase();
    rounds.push((await startOnce(stand, settingsOf(topic, database))).eventsPerSecond);
  }
  return median(rounds);
}
