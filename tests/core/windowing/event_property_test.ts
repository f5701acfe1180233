import fc from "fast-check";
import assert from "node:assert/strict";
import { EventParser } from "../../../lib/core/windowing/event.ts";
import { utf8 } from "../records/batches.ts";
import { anyBytes, eventText } from "./event_values.ts";

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The values one after the other, with the bytes of `gap` around them. */
function layOut(
  values: readonly Uint8Array[],
  gap: Uint8Array,
): { readonly bytes: Uint8Array; readonly ranges: readonly Range[] } {
  const bytes: number[] = [...gap];
  const ranges = values.map((value) => {
    const start = bytes.length;
    bytes.push(...value);
    const end = bytes.length;
    bytes.push(...gap);
    return { start, end };
  });
  return { bytes: new Uint8Array(bytes), ranges };
}

const parser = () => new EventParser({ maxFutureMs: 0 });
const without = { recordTimestampMs: -1 };

const gap = fc.uint8Array({ maxLength: 5 });

Deno.test("parse() returns what JSON.parse gives, wherever events lie in a buffer", () => {
  fc.assert(fc.property(fc.array(eventText, { maxLength: 6 }), gap, (texts, gap) => {
    const { bytes, ranges } = layOut(texts.map(utf8), gap);
    const shared = parser();
    const parsed = ranges.map((range) => shared.parse(bytes, { ...range, ...without }));
    const expected = texts.map((text) => {
      const { lottery_name, event_type, timestamp } = JSON.parse(text);
      return { lotteryName: lottery_name, eventType: event_type, timestampMs: timestamp };
    });
    assert.deepEqual(parsed, expected);
  }));
});

Deno.test("parse() reads buffers in turn without mixing them up", () => {
  fc.assert(
    fc.property(fc.array(eventText, { minLength: 2, maxLength: 4 }), gap, (texts, gap) => {
      const shared = parser();
      const buffers = texts.map((text) => layOut([utf8(text)], gap));
      for (const { bytes, ranges } of [...buffers, ...buffers]) {
        const at = { ...ranges[0]!, ...without };
        assert.deepEqual(shared.parse(bytes, at), parser().parse(bytes, at));
        assert.notEqual(typeof shared.parse(bytes, at), "string");
      }
    }),
  );
});

Deno.test("parse() reads a view into a greater buffer", () => {
  fc.assert(fc.property(eventText, gap, (text, gap) => {
    const { bytes, ranges: [range] } = layOut([utf8(text)], gap);
    const view = bytes.subarray(range!.start, range!.end);
    assert.deepEqual(
      parser().parse(view, { start: 0, end: view.length, ...without }),
      parser().parse(bytes, { ...range!, ...without }),
    );
  }));
});

Deno.test("parse() says the same of any bytes, alone or among others, at the first and second time", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { minLength: 1, maxLength: 5 }), gap, (values, gap) => {
      const { bytes, ranges } = layOut(values, gap);
      const shared = parser();
      for (const [at, value] of values.entries()) {
        const alone = parser().parse(value, { start: 0, end: value.length, ...without });
        assert.deepEqual(shared.parse(bytes, { ...ranges[at]!, ...without }), alone);
        assert.deepEqual(shared.parse(bytes, { ...ranges[at]!, ...without }), alone);
      }
    }),
    { numRuns: 500 },
  );
});
