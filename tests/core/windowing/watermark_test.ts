import fc from "fast-check";
import assert from "node:assert/strict";
import {
  closedUpTo,
  type PartitionTime,
  watermark,
} from "../../../lib/core/windowing/watermark.ts";

const at = (maxEventTimeMs: number | null): PartitionTime => ({ maxEventTimeMs, isIdle: false });
const idleAt = (maxEventTimeMs: number | null): PartitionTime => ({ maxEventTimeMs, isIdle: true });

const MARKS: readonly {
  readonly name: string;
  readonly partitions: readonly PartitionTime[];
  readonly before: number | null;
  readonly expected: number | null;
}[] = [
  {
    name: "is the least of the partitions",
    partitions: [at(7), at(5), at(9)],
    before: null,
    expected: 5,
  },
  { name: "is the only partition's", partitions: [at(7)], before: null, expected: 7 },
  { name: "rises", partitions: [at(7), at(8)], before: 6, expected: 7 },
  { name: "stays where nothing is new", partitions: [at(7), at(8)], before: 7, expected: 7 },
  { name: "does not fall", partitions: [at(7), at(8)], before: 9, expected: 9 },
  { name: "passes over an idle partition", partitions: [at(7), idleAt(2)], before: 3, expected: 7 },
  {
    name: "passes over an idle partition without events",
    partitions: [at(7), idleAt(null)],
    before: null,
    expected: 7,
  },
  {
    name: "is not raised by an idle partition",
    partitions: [at(7), idleAt(20)],
    before: null,
    expected: 7,
  },
  {
    name: "is held back by a partition without events",
    partitions: [at(7), at(null)],
    before: 3,
    expected: 3,
  },
  {
    name: "is none while a partition never had events",
    partitions: [at(7), at(null)],
    before: null,
    expected: null,
  },
  { name: "stays if all are idle", partitions: [idleAt(7), idleAt(8)], before: 3, expected: 3 },
  { name: "stays none if all are idle", partitions: [idleAt(7)], before: null, expected: null },
  { name: "stays without partitions", partitions: [], before: 3, expected: 3 },
  { name: "is none without anything", partitions: [], before: null, expected: null },
  { name: "may be 0", partitions: [at(0), at(5)], before: null, expected: 0 },
];

for (const { name, partitions, before, expected } of MARKS) {
  Deno.test(`watermark() ${name}`, () => assert.equal(watermark(partitions, before), expected));
}

const time = fc.integer({ min: 0, max: 1000 });
const partition: fc.Arbitrary<PartitionTime> = fc.record({
  maxEventTimeMs: fc.option(time),
  isIdle: fc.boolean(),
});

Deno.test("watermark() never falls, whatever happens to the partitions", () => {
  fc.assert(fc.property(fc.array(fc.array(partition, { maxLength: 4 })), (history) => {
    let before: number | null = null;
    for (const partitions of history) {
      const now: number | null = watermark(partitions, before);
      assert.ok(before === null || now !== null && now >= before);
      before = now;
    }
  }));
});

Deno.test("watermark() passes no partition that is not idle, except where it stood before", () => {
  fc.assert(fc.property(fc.array(partition), fc.option(time), (partitions, before) => {
    const now = watermark(partitions, before);
    if (now === before) return;
    for (const { maxEventTimeMs, isIdle } of partitions) {
      assert.ok(isIdle || maxEventTimeMs !== null && maxEventTimeMs >= now!);
    }
  }));
});

const SIZE_MS = 60_000;
const GRACE_MS = 30_000;

const CLOSED: readonly {
  readonly name: string;
  readonly watermarkMs: number | null;
  readonly expected: number;
}[] = [
  { name: "closes nothing without a watermark", watermarkMs: null, expected: -Infinity },
  { name: "closes nothing since 1970 at a watermark of 0", watermarkMs: 0, expected: -60_000 },
  { name: "keeps a window open until its end", watermarkMs: 60_000, expected: 0 },
  { name: "keeps a window open 1 ms before its grace is over", watermarkMs: 89_999, expected: 0 },
  { name: "closes a window when its grace is over", watermarkMs: 90_000, expected: 60_000 },
  { name: "keeps the next window open 1 ms longer", watermarkMs: 149_999, expected: 60_000 },
  { name: "closes the next window a window later", watermarkMs: 150_000, expected: 120_000 },
];

for (const { name, watermarkMs, expected } of CLOSED) {
  Deno.test(`closedUpTo() ${name}`, () => {
    assert.equal(closedUpTo(watermarkMs, { sizeMs: SIZE_MS, graceMs: GRACE_MS }), expected);
  });
}

Deno.test("closedUpTo() closes a window at its end without grace", () => {
  assert.equal(closedUpTo(59_999, { sizeMs: SIZE_MS, graceMs: 0 }), 0);
  assert.equal(closedUpTo(60_000, { sizeMs: SIZE_MS, graceMs: 0 }), 60_000);
});

Deno.test("closedUpTo() closes exactly the windows whose end and grace the watermark has reached", () => {
  const mark = fc.integer({ min: 0, max: 4e12 });
  const size = fc.integer({ min: 1, max: 86_400 });
  const grace = fc.integer({ min: 0, max: 86_400 });
  fc.assert(
    fc.property(mark, size, grace, fc.integer({ min: -3, max: 3 }), (mark, size, grace, near) => {
      const [sizeMs, graceMs] = [size * 1000, grace * 1000];
      const start = (Math.trunc((mark - graceMs) / sizeMs) + near) * sizeMs;
      const isClosed = start < closedUpTo(mark, { sizeMs, graceMs });
      assert.equal(isClosed, start + sizeMs + graceMs <= mark);
    }),
    { numRuns: 500 },
  );
});
