import assert from "node:assert/strict";
import { OperatorError } from "../../../lib/core/failure.ts";
import { lagWithin } from "../../../lib/core/offsets/log_range.ts";

const RANGE = { startOffset: 10, endOffset: 30 };

const WITHIN: readonly {
  readonly name: string;
  readonly position: number;
  readonly range?: { readonly startOffset: number; readonly endOffset: number };
  readonly lag: number;
}[] = [
  { name: "all at the log's start", position: 10, lag: 20 },
  { name: "the rest inside the log", position: 25, lag: 5 },
  { name: "one before the last record", position: 29, lag: 1 },
  { name: "nothing at the log's end", position: 30, lag: 0 },
  { name: "nothing in an empty log", position: 0, range: { startOffset: 0, endOffset: 0 }, lag: 0 },
  {
    name: "nothing in a log whose records were all deleted",
    position: 30,
    range: { startOffset: 30, endOffset: 30 },
    lag: 0,
  },
];

for (const { name, position, range, lag } of WITHIN) {
  Deno.test(`lagWithin() counts ${name}`, () => {
    assert.equal(lagWithin({ partition: 3, position }, range ?? RANGE), lag);
  });
}

const OUTSIDE: readonly {
  readonly name: string;
  readonly position: number;
  readonly range: { readonly startOffset: number; readonly endOffset: number } | undefined;
  readonly says: readonly RegExp[];
}[] = [
  {
    name: "a position before the log's start, telling how many were lost",
    position: 4,
    range: RANGE,
    says: [/partition 3\b/, /offset 4\b/, /starts at 10\b/, /\b6 offsets/],
  },
  {
    name: "a position one before the log's start",
    position: 9,
    range: RANGE,
    says: [/starts at 10\b/, /\b1 offset/],
  },
  {
    name: "a position one beyond the log's end",
    position: 31,
    range: RANGE,
    says: [/partition 3\b/, /offset 31\b/, /ends at 30\b/],
  },
  {
    name: "any position but 0 in a new log",
    position: 1,
    range: { startOffset: 0, endOffset: 0 },
    says: [/ends at 0\b/, /created again/],
  },
  {
    name: "a partition that is gone",
    position: 10,
    range: undefined,
    says: [/partition 3\b/, /no longer has it/],
  },
];

for (const { name, position, range, says } of OUTSIDE) {
  Deno.test(`lagWithin() refuses ${name}`, () => {
    assert.throws(() => lagWithin({ partition: 3, position }, range), (error) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, /^Cannot /);
      for (const part of says) assert.match(error.message, part);
      return true;
    });
  });
}
