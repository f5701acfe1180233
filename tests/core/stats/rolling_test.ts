import fc from "fast-check";
import assert from "node:assert/strict";
import { RollingQuantiles } from "../../../lib/core/stats/quantiles.ts";
import { RollingCounter } from "../../../lib/core/stats/rolling_counter.ts";
import { RollingRate } from "../../../lib/core/stats/rolling_rate.ts";

Deno.test("RollingCounter has the counts of whole seconds only, the oldest first", () => {
  const counter = new RollingCounter(3);
  counter.add(1, 10_000);
  counter.add(2, 10_999);
  counter.add(4, 11_000);
  assert.deepEqual(counter.counts(11_999), [0, 0, 3]);
  assert.deepEqual(counter.counts(12_000), [0, 3, 4]);
  assert.deepEqual(counter.counts(14_000), [4, 0, 0]);
  assert.deepEqual(counter.counts(60_000), [0, 0, 0]);
});

Deno.test("RollingCounter says what a list of all that was added says", () => {
  const step = fc.record({ count: fc.nat(9), afterMs: fc.nat(2_500) });
  fc.assert(fc.property(fc.array(step), fc.nat(1e9), (steps, startMs) => {
    const counter = new RollingCounter(4);
    const added: { second: number; count: number }[] = [];
    let nowMs = startMs;
    for (const { count, afterMs } of steps) {
      nowMs += afterMs;
      counter.add(count, nowMs);
      added.push({ second: Math.floor(nowMs / 1000), count });
      const expected = [4, 3, 2, 1].map((ago) => {
        const second = Math.floor(nowMs / 1000) - ago;
        return added.reduce((sum, each) => sum + (each.second === second ? each.count : 0), 0);
      });
      assert.deepEqual(counter.counts(nowMs), expected);
    }
  }));
});

Deno.test("RollingCounter takes its rate from whole seconds, so that a second under way does not count less", () => {
  const counter = new RollingCounter(60);
  counter.add(100, 10_000);
  assert.equal(counter.perSecond(5, 10_900), 100);
  counter.add(50, 11_500);
  assert.equal(counter.perSecond(5, 11_600), 100);
  assert.equal(counter.perSecond(5, 12_000), 75);
});

Deno.test("RollingCounter leaves out of its rate what is older than its span", () => {
  const counter = new RollingCounter(60);
  counter.add(500, 0);
  assert.equal(counter.perSecond(5, 5_999), 100);
  assert.equal(counter.perSecond(5, 6_000), 0);
});

Deno.test("RollingCounter tells a steady rate from the second second on", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(30), (perTick, seconds) => {
    const counter = new RollingCounter(60);
    const endMs = (seconds + 1) * 1_000;
    for (let nowMs = 0; nowMs < endMs; nowMs += 250) counter.add(perTick, nowMs);
    assert.equal(counter.perSecond(5, endMs), perTick * 4);
  }));
});

Deno.test("RollingQuantiles are right to one per cent", () => {
  const values = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (measured, q) => {
    const quantiles = new RollingQuantiles(60_000);
    for (const value of measured) quantiles.add(value, 1_000);
    const sorted = measured.toSorted((a, b) => a - b);
    const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
    const found = quantiles.quantile(q, 1_000)!;
    assert.ok(Math.abs(found - exact) <= exact * 0.0101, `${found} is not near ${exact}`);
  }));
});

Deno.test("RollingQuantiles forget what is older than they look back", () => {
  const quantiles = new RollingQuantiles(60_000);
  assert.equal(quantiles.quantile(0.5, 0), null);
  quantiles.add(500, 0);
  quantiles.add(1, 50_000);
  assert.ok(quantiles.quantile(1, 54_999)! > 490);
  assert.equal(quantiles.quantile(1, 60_000), 1);
  assert.equal(quantiles.quantile(1, 120_000), null);
});

Deno.test("RollingRate is the growth between the samples that it keeps", () => {
  const rate = new RollingRate(10_000);
  rate.add(100, 0);
  assert.equal(rate.perSecond, null);
  rate.add(300, 1_000);
  assert.equal(rate.perSecond, 200);
  rate.add(300, 11_000);
  assert.equal(rate.perSecond, 0);
});

Deno.test("RollingRate is known from samples that are as far apart as it looks back", () => {
  const rate = new RollingRate(5_000);
  for (const [total, atMs] of [[0, 0], [500, 5_001], [900, 10_001]] as const) rate.add(total, atMs);
  assert.equal(rate.perSecond, 80);
  rate.add(1_000, 10_500);
  assert.ok(Math.abs(rate.perSecond! - 500 / 5.499) < 0.1, "between them others look, too");
});

Deno.test("RollingRate begins anew after a reset, and after a pause", () => {
  const rate = new RollingRate(10_000);
  rate.add(1_000, 0);
  rate.add(2_000, 1_000);
  rate.add(10, 2_000);
  assert.equal(rate.perSecond, null);
  rate.add(20, 3_000);
  assert.equal(rate.perSecond, 10);
  rate.add(1_000_000, 60_000);
  assert.equal(rate.perSecond, null);
});
