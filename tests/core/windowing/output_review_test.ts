import fc from "fast-check";
import assert from "node:assert/strict";
import { OutputReview } from "../../../lib/core/windowing/output_review.ts";

const keyOf = (n: number) => ({ windowStartMs: 0, lotteryName: `lottery ${n}`, eventType: "pay" });

Deno.test("OutputReview finds the keys whose last record is not what the table has, however they are read", () => {
  const record = fc.record({ key: fc.nat(5), count: fc.option(fc.nat(3)) });
  const table = fc.array(fc.option(fc.nat(3)), { minLength: 6, maxLength: 6 });
  const pages = fc.array(fc.array(record));
  fc.assert(fc.property(pages, table, (pages, table) => {
    const review = new OutputReview();
    for (const page of pages) {
      review.take(
        page.map(({ key, count }) => ({ key: keyOf(key), count })),
        page.map(({ key }) => ({ count: table[key]!, isDeleted: false, isHandedOver: true })),
      );
    }
    const last = new Map(pages.flat().map(({ key, count }) => [key, count]));
    const expected = [...last].filter(([key, count]) => count !== table[key]).map(([key]) => key);
    assert.deepEqual(
      review.stale.map(({ lotteryName }) => lotteryName).sort(),
      expected.map((key) => keyOf(key).lotteryName).sort(),
    );
    assert.equal(review.isEarly, false);
  }));
});

Deno.test("OutputReview leaves alone what is deleted for its age, and what is published later", () => {
  const review = new OutputReview();
  const published = [{ key: keyOf(0), count: 1 }];
  review.take(published, [{ count: null, isDeleted: true, isHandedOver: true }]);
  assert.deepEqual([review.stale, review.isEarly], [[], false]);
  review.take(published, [{ count: 2, isDeleted: false, isHandedOver: false }]);
  assert.deepEqual([review.stale, review.isEarly], [[], true]);
});
