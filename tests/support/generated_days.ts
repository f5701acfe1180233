/**
 * Four weeks of the generator's story put straight into a migrated database: people who live by the
 * clocks of a zone, with nights, weekends and jackpots.
 * @module
 */

import { Generator } from "../../lib/core/simulation/generator.ts";
import { Story } from "../../lib/core/simulation/story.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

export interface DaysOptions {
  readonly seed: number;
  readonly zone: string;
  readonly startMs: number;
  readonly days: number;
  /** Events per second. */
  readonly rate: number;
  readonly lotteries: number;
  /** Which events there are, by the minute that they are in. */
  readonly has?: (lotteryName: string, minuteMs: number) => boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Stores the clicks of each minute. @returns them, by lottery and minute. */
export async function storeDays(
  connection: Connection,
  { zone, startMs, days, has = () => true, ...options }: DaysOptions,
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const clocks = generateByClock({ ...options, startMs: clockOf(startMs, zone), days });
  const counts = new Map<string, Map<number, number>>();
  for (let minuteMs = startMs; minuteMs < startMs + days * DAY_MS; minuteMs += MINUTE_MS) {
    for (const [lotteryName, events] of clocks.get(clockOf(minuteMs, zone)) ?? []) {
      if (!has(lotteryName, minuteMs)) continue;
      const ofLottery = counts.get(lotteryName) ?? new Map<number, number>();
      counts.set(lotteryName, ofLottery.set(minuteMs, events));
    }
  }
  for (const [lotteryName, ofLottery] of counts) await store(connection, lotteryName, ofLottery);
  await connection.query({ text: "analyze" });
  return counts;
}

/** Clicks by what the clocks show: an hour that they leave out is never seen, one that they repeat is seen twice. */
function generateByClock(
  { seed, startMs, days, rate, lotteries }: Omit<DaysOptions, "zone" | "has">,
): Map<number, Map<string, number>> {
  const options = { seed, startMs, rate, lotteries };
  const story = new Story(options);
  const generator = new Generator({ ...options, badShare: 0, lateShare: 0 });
  const clocks = new Map<number, Map<string, number>>();
  // An hour more, for clocks that go forward.
  for (let n = 0, end = story.lengthAt(startMs + days * DAY_MS + DAY_MS / 24); n < end; n++) {
    const timeMs = story.timeOf(n);
    const jackpot = story.jackpotAt(timeMs);
    const crowd = jackpot && { lottery: jackpot.lottery, share: story.crowdShareAt(timeMs) };
    const { key, value } = generator.record(n, timeMs, crowd);
    if (!String(value).includes('"clicked"')) continue;
    const minuteMs = Math.floor(timeMs / MINUTE_MS) * MINUTE_MS;
    const ofMinute = clocks.get(minuteMs) ?? new Map<string, number>();
    clocks.set(minuteMs, ofMinute.set(key, (ofMinute.get(key) ?? 0) + 1));
  }
  return clocks;
}

const clockNames = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** What the clocks of a zone show, as if it were UTC. */
function clockOf(timeMs: number, zone: string): number {
  const hourMs = Math.floor(timeMs / 3_600_000) * 3_600_000; // they change at whole hours
  const key = `${zone} ${hourMs}`;
  let offsetMs = offsets.get(key);
  if (offsetMs === undefined) {
    const format = clockNames.get(zone) ??
      new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    clockNames.set(zone, format);
    offsetMs = Date.parse(`${format.format(hourMs).replace(" ", "T")}Z`) - hourMs;
    offsets.set(key, offsetMs);
  }
  return timeMs + offsetMs;
}

async function store(
  connection: Connection,
  lotteryName: string,
  counts: ReadonlyMap<number, number>,
): Promise<void> {
  const values = [lotteryName, [...counts.keys()], [...counts.values()]];
  await connection.query({
    text: `
      insert into lottery_aggregates
        (window_start, window_end, lottery_name, event_type, event_count)
      select
        to_timestamp(minute_ms / 1000), to_timestamp(minute_ms / 1000 + 60), $1, 'clicked', events
      from unnest($2::bigint[], $3::bigint[]) as minutes (minute_ms, events)`,
    values,
  });
  await connection.query({
    text: `
      insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
      select to_timestamp(minute_ms / 3600000 * 3600), $1, 'clicked', sum(events)
      from unnest($2::bigint[], $3::bigint[]) as minutes (minute_ms, events)
      group by 1`,
    values,
  });
}
