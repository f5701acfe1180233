import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type ClosedCount,
  closedCountRecord,
  parseClosedCount,
  removedCountRecord,
} from "../../../lib/core/windowing/closed_count.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const COUNT: ClosedCount = {
  windowStartMs: NOON_MS,
  windowEndMs: NOON_MS + 60_000,
  lotteryName: "mega_draw",
  eventType: "pay",
  count: 17,
  revision: 5,
};

Deno.test("closedCountRecord() is JSON with a version and a revision", () => {
  const { key, value } = closedCountRecord(COUNT);
  assert.equal(key, '["2026-01-01T12:00:00.000Z","mega_draw","pay"]');
  assert.deepEqual(JSON.parse(value), {
    version: 1,
    revision: 5,
    window_start: "2026-01-01T12:00:00.000Z",
    window_end: "2026-01-01T12:01:00.000Z",
    lottery_name: "mega_draw",
    event_type: "pay",
    event_count: 17,
  });
});

Deno.test("closedCountRecord() has one key for one window, lottery and type, and another for any other", () => {
  const count = fc.record({
    windowStartMs: fc.constantFrom(NOON_MS, NOON_MS + 1_000),
    lotteryName: fc.string({ unit: fc.constantFrom("a", '"', ",", "\\", "[") }),
    eventType: fc.string({ unit: fc.constantFrom("a", '"', ",", "\\", "]") }),
  });
  fc.assert(fc.property(count, count, (one, other) => {
    const isSame = one.windowStartMs === other.windowStartMs &&
      one.lotteryName === other.lotteryName && one.eventType === other.eventType;
    const keyOf = (key: typeof one) => closedCountRecord({ ...COUNT, ...key }).key;
    assert.equal(keyOf(one) === keyOf(other), isSame);
  }));
});

Deno.test("parseClosedCount() reads what closedCountRecord() and removedCountRecord() write", () => {
  const name = fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed());
  fc.assert(fc.property(name, name, fc.nat(), (lotteryName, eventType, count) => {
    const key = { windowStartMs: NOON_MS, lotteryName, eventType };
    const record = closedCountRecord({ ...COUNT, ...key, count });
    assert.deepEqual(parseClosedCount(record.key, record.value), { key, count });
    const removed = removedCountRecord(key);
    assert.equal(removed.key, record.key);
    assert.deepEqual(parseClosedCount(removed.key, removed.value), { key, count: null });
  }));
});

Deno.test("parseClosedCount() leaves out what others have written", () => {
  for (
    const key of [
      "",
      "a",
      "[]",
      "{}",
      "null",
      '["yesterday","a","b"]',
      '["2026-01-01T12:00:00Z",1,"b"]',
    ]
  ) {
    assert.equal(parseClosedCount(key, null), null, key);
  }
  for (const value of ["", "a", "[]", '{"event_count":"7"}', '{"event_count":1.5}']) {
    assert.equal(parseClosedCount('["2026-01-01T12:00:00Z","a","b"]', value), null, value);
  }
});
