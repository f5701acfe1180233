import fc from "fast-check";
import assert from "node:assert/strict";
import { backoffMs } from "../../lib/async/backoff.ts";

const OPTIONS = { firstMs: 100, maxMs: 5_000 };

const FULL: readonly { readonly attempt: number; readonly ms: number }[] = [
  { attempt: 0, ms: 100 },
  { attempt: 1, ms: 200 },
  { attempt: 2, ms: 400 },
  { attempt: 5, ms: 3_200 },
  { attempt: 6, ms: 5_000 },
  { attempt: 7, ms: 5_000 },
  { attempt: 1_000_000, ms: 5_000 },
];

for (const { attempt, ms } of FULL) {
  Deno.test(`backoffMs() spreads attempt ${attempt} from ${ms / 2} to ${ms} ms`, () => {
    const wait = (random: number) => backoffMs(attempt, { ...OPTIONS, random });
    assert.equal(wait(0), ms / 2);
    assert.equal(wait(0.5), ms * 3 / 4);
    assert.ok(wait(0.999) > ms * 0.999 && wait(0.999) < ms);
  });
}

Deno.test("backoffMs() never waits longer than maxMs, even at first", () => {
  assert.equal(backoffMs(0, { firstMs: 900, maxMs: 100, random: 0 }), 50);
});

Deno.test("backoffMs() waits no time at all after any number of attempts with a firstMs of 0", () => {
  for (const attempt of [0, 10, 1_000_000]) {
    assert.equal(backoffMs(attempt, { firstMs: 0, maxMs: 100, random: 0.5 }), 0);
  }
});

Deno.test("backoffMs() stays within its bounds and does not shrink from one attempt to the next", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const ms = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(fc.property(fc.nat(), ms, ms, random, (attempt, firstMs, maxMs, random) => {
    const wait = backoffMs(attempt, { firstMs, maxMs, random });
    assert.ok(wait >= Math.min(firstMs, maxMs) / 2 && wait <= maxMs);
    assert.ok(backoffMs(attempt + 1, { firstMs, maxMs, random }) >= wait);
  }));
});
