/**
 * Events to counts, with few and many names and windows: `deno bench tests/bench`.
 * @module
 */

import type { LotteryEvent } from "../../lib/core/windowing/event.ts";
import { WindowCounts } from "../../lib/core/windowing/window.ts";

const EVENTS = 10_000;
const TYPES = ["clicked", "register", "pay"];

for (
  const [what, { lotteries, minutes }] of [
    ["60 names, one window", { lotteries: 20, minutes: 1 }],
    ["60 names, 30 windows in turn", { lotteries: 20, minutes: 30 }],
    ["9,999 names, one window", { lotteries: 3_333, minutes: 1 }],
  ] as const
) {
  const events = Array.from({ length: EVENTS }, (_, n): LotteryEvent => ({
    lotteryName: `lottery_${(n * 7_919) % lotteries}`,
    eventType: TYPES[n % 3]!,
    timestampMs: Date.UTC(2025, 0, 1) + (n % minutes) * 60_000 + n,
  }));
  Deno.bench(`${EVENTS} events, ${what}`, () => {
    const counts = new WindowCounts(60_000);
    for (const event of events) counts.add(event);
  });
}
