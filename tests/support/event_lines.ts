/**
 * Events as lines for a producer, and what should be stored of them.
 * @module
 */

import type { Expectation } from "./expectation.ts";

const LOTTERIES = ["mega_draw", "lötto_€", "__proto__", "a|b", 'quote"s', "lucky 🍀", "rare\\one"];
const TYPES = ["clicked", "register", "pay", "a|b", "constructor"];

export interface LineOptions {
  /** Reasons that no record is to have: a file cannot hold each kind. */
  readonly without?: readonly string[];
}

/** Makes `count` records, one of 101 of them bad, and tells the expectation of each. */
export function makeLines(
  count: number,
  expected: Expectation,
  { without = [] }: LineOptions = {},
): (string | Uint8Array)[] {
  const now = Date.now();
  const badRecords = makeBadRecords(now).filter(([reason]) => !without.includes(reason));
  return Array.from({ length: count }, (_, n) => {
    if (n % 101 === 0) {
      const [reason, line] = badRecords[n / 101 % badRecords.length]!;
      expected.addDead(reason);
      return line;
    }
    const lottery_name = LOTTERIES[n % 11 % LOTTERIES.length]!;
    const event_type = TYPES[n % 7 % TYPES.length]!;
    const timestamp = now - (n * 7919) % 3_600_000;
    expected.add(lottery_name, event_type, timestamp);
    return JSON.stringify({ lottery_name, event_type, timestamp });
  });
}

/** Thirteen kinds of records that are no event. */
function makeBadRecords(now: number): [reason: string, line: string | Uint8Array][] {
  const event = { lottery_name: "mega_draw", event_type: "clicked", timestamp: now };
  const json = (changes: Record<string, unknown>) => JSON.stringify({ ...event, ...changes });
  return [
    ["tombstone", ""],
    ["not_utf8", new Uint8Array([0x22, 0xc3, 0x28, 0x22])],
    ["not_json", "{not json"],
    ["not_an_object", '["clicked"]'],
    ["lottery_name_missing", json({ lottery_name: undefined })],
    ["lottery_name_empty", json({ lottery_name: "" })],
    ["lottery_name_too_long", json({ lottery_name: "x".repeat(256) })],
    ["event_type_not_text", json({ event_type: 5 })],
    ["event_type_not_storable", json({ event_type: "nul\0" })],
    ["timestamp_missing", json({ timestamp: undefined })],
    ["timestamp_not_an_integer", json({ timestamp: "1" })],
    ["timestamp_in_seconds", json({ timestamp: Math.floor(now / 1000) })],
    ["timestamp_in_future", json({ timestamp: now + 86_400_000 })],
  ];
}
