import fc from "fast-check";
import assert from "node:assert/strict";
import type { LotteryEvent } from "../../../lib/core/windowing/event.ts";
import { type WindowCount, WindowCounts, windowStart } from "../../../lib/core/windowing/window.ts";

const MINUTE_MS = 60_000;

const STARTS: readonly {
  readonly name: string;
  readonly timestampMs: number;
  readonly start: number;
}[] = [
  { name: "0 ms into the first minute", timestampMs: 0, start: 0 },
  { name: "1 ms into the first minute", timestampMs: 1, start: 0 },
  { name: "59,999 ms into the first minute", timestampMs: 59_999, start: 0 },
  { name: "60,000 ms into the second minute", timestampMs: 60_000, start: 60_000 },
  { name: "119,999 ms into the second minute", timestampMs: 119_999, start: 60_000 },
  { name: "-1 ms into the minute before 1970", timestampMs: -1, start: -60_000 },
  { name: "-60,000 ms into the minute before 1970", timestampMs: -60_000, start: -60_000 },
  { name: "-60,001 ms into the minute before that", timestampMs: -60_001, start: -120_000 },
  {
    name: "the last millisecond of the year 9999 into its last minute",
    timestampMs: Date.UTC(9999, 11, 31, 23, 59, 59, 999),
    start: Date.UTC(9999, 11, 31, 23, 59),
  },
];

for (const { name, timestampMs, start } of STARTS) {
  Deno.test(`windowStart() puts ${name}`, () => {
    assert.equal(windowStart(timestampMs, MINUTE_MS), start);
  });
}

Deno.test("windowStart() gives the one aligned window that holds the time", () => {
  const timestamp = fc.integer({ min: -1e15, max: 1e15 });
  fc.assert(fc.property(timestamp, fc.integer({ min: 1, max: 86_400_000 }), (at, sizeMs) => {
    const start = windowStart(at, sizeMs);
    assert.ok(start <= at && at < start + sizeMs);
    assert.equal(Math.abs(start % sizeMs), 0);
  }));
});

function counted(events: readonly LotteryEvent[]): WindowCounts {
  const counts = new WindowCounts(MINUTE_MS);
  for (const event of events) counts.add(event);
  return counts;
}

function merged(parts: readonly Iterable<WindowCount>[]): WindowCounts {
  const counts = new WindowCounts(MINUTE_MS);
  for (const part of parts) counts.merge(part);
  return counts;
}

/** Rows as an object, whatever their order. */
function rows(counts: Iterable<WindowCount>): ReadonlyMap<string, number> {
  const entries = Array.from(
    counts,
    ({ windowStartMs, lotteryName, eventType, count }) =>
      [JSON.stringify([windowStartMs, lotteryName, eventType]), count] as const,
  );
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, "a row comes twice");
  return new Map(entries.toSorted(([a], [b]) => a < b ? -1 : 1));
}

/** The same rows, counted in the plainest way. */
function expectedRows(events: readonly LotteryEvent[]): ReadonlyMap<string, number> {
  const keys = events.map(({ timestampMs, lotteryName, eventType }) =>
    JSON.stringify([timestampMs - timestampMs % MINUTE_MS, lotteryName, eventType])
  );
  return new Map(
    [...new Set(keys)].sort().map((key) => [key, keys.filter((other) => other === key).length]),
  );
}

/** Few, so that rows have several events. */
const name = fc.constantFrom("a", "a|b", "__proto__");
const event: fc.Arbitrary<LotteryEvent> = fc.record({
  lotteryName: name,
  eventType: name,
  timestampMs: fc.oneof(
    fc.constantFrom(0, 59_999, 60_000, 119_999, 120_000),
    fc.integer({ min: 0, max: 300_000 }),
  ),
});

Deno.test("WindowCounts gives each window, lottery and type the number of its events", () => {
  fc.assert(fc.property(fc.array(event), (events) => {
    assert.deepEqual(rows(counted(events)), expectedRows(events));
  }));
});

Deno.test("WindowCounts.events is the sum of the counts and keys the number of rows", () => {
  fc.assert(fc.property(fc.array(event), (events) => {
    const counts = counted(events);
    const sum = Array.from(counts).reduce((sum, { count }) => sum + count, 0);
    assert.equal(sum, events.length);
    assert.equal(counts.events, events.length);
    assert.equal(counts.keys, expectedRows(events).size);
  }));
});

Deno.test("WindowCounts is the same wherever the input is cut", () => {
  fc.assert(fc.property(fc.array(event), fc.array(fc.nat(20)), (events, cuts) => {
    const bounds = [0, ...cuts.toSorted((a, b) => a - b), events.length];
    const parts = bounds.slice(1).map((end, at) => counted(events.slice(bounds[at], end)));
    assert.deepEqual(rows(merged(parts)), rows(counted(events)));
  }));
});

Deno.test("WindowCounts is the same however events are spread over partitions, in any order", () => {
  const partitions = [0, 1, 2, 3];
  const placed = fc.array(fc.tuple(event, fc.constantFrom(...partitions)));
  const order = fc.shuffledSubarray(partitions, { minLength: partitions.length });
  fc.assert(fc.property(placed, order, (placed, order) => {
    const parts = order.map((partition) =>
      counted(placed.filter(([, its]) => its === partition).map(([event]) => event))
    );
    const whole = counted(placed.map(([event]) => event));
    const together = merged(parts);
    assert.deepEqual(rows(together), rows(whole));
    assert.equal(together.events, whole.events);
    assert.equal(together.keys, whole.keys);
  }));
});

Deno.test("merge() adds as many events as the rows stand for", () => {
  const row = { windowStartMs: 60_000, lotteryName: "a", eventType: "pay", count: 7 };
  const counts = new WindowCounts(MINUTE_MS);
  counts.merge([row]);
  counts.add({ lotteryName: "a", eventType: "pay", timestampMs: 60_001 });
  counts.merge([row]);
  assert.deepEqual([...counts], [{ ...row, count: 15 }]);
  assert.deepEqual([counts.events, counts.keys], [15, 1]);
});

Deno.test("WindowCounts is empty before the first event", () => {
  const counts = new WindowCounts(MINUTE_MS);
  assert.deepEqual({ rows: [...counts], keys: counts.keys, events: counts.events }, {
    rows: [],
    keys: 0,
    events: 0,
  });
});

Deno.test("WindowCounts.keys grows with a new window, lottery or type only", () => {
  const counts = new WindowCounts(MINUTE_MS);
  const add = (lotteryName: string, eventType: string, timestampMs: number) => {
    counts.add({ lotteryName, eventType, timestampMs });
    return counts.keys;
  };
  assert.equal(add("a", "clicked", 0), 1);
  assert.equal(add("a", "clicked", 59_999), 1);
  assert.equal(add("a", "clicked", 60_000), 2);
  assert.equal(add("b", "clicked", 0), 3);
  assert.equal(add("a", "pay", 0), 4);
  assert.equal(counts.events, 5);
});

for (const separator of ["|", ":", ",", "/", " ", "\n", "\t", "\u001f", '","', "_", "."]) {
  Deno.test(`WindowCounts keeps names with ${JSON.stringify(separator)} in them apart`, () => {
    const counts = counted([
      { lotteryName: `a${separator}b`, eventType: "c", timestampMs: 0 },
      { lotteryName: "a", eventType: `b${separator}c`, timestampMs: 0 },
      { lotteryName: "a", eventType: "b", timestampMs: 0 },
    ]);
    assert.deepEqual(Array.from(counts, ({ count }) => count), [1, 1, 1]);
  });
}

Deno.test("WindowCounts counts names that every object has", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const counts = counted(
    names.map((name) => ({ lotteryName: name, eventType: name, timestampMs: 0 })),
  );
  assert.deepEqual(
    [...counts],
    names.map((name) => ({ windowStartMs: 0, lotteryName: name, eventType: name, count: 1 })),
  );
});
