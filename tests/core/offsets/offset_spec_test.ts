import assert from "node:assert/strict";
import { offsetsProblem, parseOffsetSpec } from "../../../lib/core/offsets/offset_spec.ts";

Deno.test("parseOffsetSpec() reads places, times and offsets", () => {
  assert.deepEqual(parseOffsetSpec("start"), { kind: "start" });
  assert.deepEqual(parseOffsetSpec("end"), { kind: "end" });
  assert.deepEqual(parseOffsetSpec("2026-01-31T12:00:00Z"), {
    kind: "time",
    timeMs: Date.UTC(2026, 0, 31, 12),
  });
  assert.deepEqual(parseOffsetSpec("2026-01-31T12:00:00.5+02:00"), {
    kind: "time",
    timeMs: Date.UTC(2026, 0, 31, 10, 0, 0, 500),
  });
  assert.deepEqual(parseOffsetSpec("1970-01-01T00:00:00Z"), { kind: "time", timeMs: 0 });
  assert.deepEqual(parseOffsetSpec("1969-12-31T23:59:59.999Z"), { kind: "start" });
  assert.deepEqual(parseOffsetSpec("0:120,11:98"), {
    kind: "offsets",
    topic: null,
    offsets: new Map([[0, 120], [11, 98]]),
  });
  assert.deepEqual(parseOffsetSpec('{"user-events":{"2":7,"0":120}}'), {
    kind: "offsets",
    topic: "user-events",
    offsets: new Map([[0, 120], [2, 7]]),
  });
});

for (
  const [text, message] of [
    ["", /It must be start, end, a time/],
    ["now", /It must be start, end, a time/],
    ["2026-01-31", /It must be start, end, a time/],
    ["2026-01-31T12:00:00", /It must be start, end, a time/], // whose clock?
    ["2026-13-31T12:00:00Z", /It must be start, end, a time/],
    ["2026-02-31T12:00:00Z", /It must be start, end, a time/], // not the third of March
    ["0:1,0:2", /one offset for each partition, but has 0:2/],
    ["0:1,", /one offset for each partition/],
    ["0:1:2", /one offset for each partition/],
    ["0:-1", /one offset for each partition/],
    ['{"a":{"0":1}', /begins like JSON/],
    ['{"a":{"0":1},"b":{"0":1}}', /must name one topic/],
    ["{}", /must name one topic/],
    ['{"a":5}', /must name one topic/],
    ['{"a":{"0":-2}}', /one offset for each partition/], // the earliest, as Spark takes it when it starts
    ['{"a":{"0":"1"}}', /one offset for each partition/],
  ] as const
) {
  Deno.test(`parseOffsetSpec() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseOffsetSpec(text), { name: "SyntaxError", message });
  });
}

Deno.test("offsetsProblem() wants an offset within the log for every partition, and no other", () => {
  const ranges = new Map([
    [0, { startOffset: 5, endOffset: 10 }],
    [1, { startOffset: 0, endOffset: 0 }],
  ]);
  assert.equal(offsetsProblem(new Map([[0, 5], [1, 0]]), ranges), null);
  assert.equal(offsetsProblem(new Map([[0, 10], [1, 0]]), ranges), null);
  assert.match(offsetsProblem(new Map([[0, 5]]), ranges)!, /leave out partition 1/);
  assert.match(
    offsetsProblem(new Map([[0, 4], [1, 0]]), ranges)!,
    /offset 4 is not in partition 0, which holds 5 to 10/,
  );
  assert.match(
    offsetsProblem(new Map([[0, 11], [1, 0]]), ranges)!,
    /offset 11 is not in partition 0, which holds 5 to 10/,
  );
  assert.match(offsetsProblem(new Map([[0, 5], [1, 0], [2, 0]]), ranges)!, /no partition 2/);
});
