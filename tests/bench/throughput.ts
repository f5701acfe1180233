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
  const bad = await badPace(stand);
  yield compared({
    what: "nothing but bad events",
    measured: rate(bad.kept),
    beside: `compact JSON ${rate(compact.ours)}`,
    ratio: bad.kept / compact.ours,
    least: 0.2,
  });
  yield { what: "rows made of them afterwards", measured: rate(bad.rows) };
}

/** Medians of how fast bad events are kept, and how fast they become rows after that. */
async function badPace(stand: Stand): Promise<{ readonly kept: number; readonly rows: number }> {
  const events = stand.isQuick ? 150_000 : 2_000_000;
  await using topic = await makeTopic(stand.brokers, { events, form: "bad" });
  const rounds: { kept: number; rows: number }[] = [];
  for (let round = 0; round < (stand.isQuick ? 1 : 5); round++) {
    await using database = await stand.createDatabase();
    const { eventsPerSecond, rowsPerSecond } = await startOnce(stand, settingsOf(topic, database));
    rounds.push({ kept: eventsPerSecond, rows: rowsPerSecond ?? 0 });
  }
  return {
    kept: median(rounds.map(({ kept }) => kept)),
    rows: median(rounds.map(({ rows }) => rows)),
  };
}
