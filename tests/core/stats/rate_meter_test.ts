import fc from "fast-check";
import assert from "node:assert/strict";
import { RateMeter } from "../../../lib/core/stats/rate_meter.ts";

Deno.test("RateMeter looks at whole seconds, so that a second under way does not count less", () => {
  const meter = new RateMeter(5);
  meter.add(100, 10_000);
  assert.equal(meter.perSecond(10_900), 100);
  meter.add(50, 11_500);
  assert.equal(meter.perSecond(11_600), 100);
  assert.equal(meter.perSecond(12_000), 75);
});

Deno.test("RateMeter forgets what is older than its span", () => {
  const meter = new RateMeter(5);
  meter.add(500, 0);
  assert.equal(meter.perSecond(5_999), 100);
  assert.equal(meter.perSecond(6_000), 0);
});

Deno.test("RateMeter tells a steady rate from the second second on", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(30), (perTick, seconds) => {
    const meter = new RateMeter(5);
    const endMs = (seconds + 1) * 1_000;
    for (let nowMs = 0; nowMs < endMs; nowMs += 250) meter.add(perTick, nowMs);
    assert.equal(meter.perSecond(endMs), perTick * 4);
  }));
});
