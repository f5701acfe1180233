import assert from "node:assert/strict";
import { OtherLogError, RecordsLostError } from "../../../lib/core/offsets/log_range.ts";
import { StallDetector } from "../../../lib/core/offsets/stall_detector.ts";

const ranges = new Map([[0, { startOffset: 0, endOffset: 100 }], [1, {
  startOffset: 0,
  endOffset: 50,
}]]);

function look(
  watch: StallDetector,
  positions: readonly (readonly [number, number])[],
  nowMs: number,
) {
  return watch.check(new Map(positions), { ranges, signsOfLife: new Map(), nowMs });
}

Deno.test("StallDetector tells how many records are left", () => {
  const { lags } = look(new StallDetector({ stallMs: 10 }), [[0, 40], [1, 50]], 0);
  assert.deepEqual(lags, new Map([[0, 60], [1, 0]]));
});

Deno.test("StallDetector finds a partition that stands still for long although it lags", () => {
  const watch = new StallDetector({ stallMs: 10 });
  assert.deepEqual(look(watch, [[0, 40], [1, 50]], 0).stalled, []);
  assert.deepEqual(look(watch, [[0, 40], [1, 50]], 9).stalled, []);
  assert.deepEqual(look(watch, [[0, 40], [1, 50]], 10).stalled, [0], "1 is at its end");
});

Deno.test("StallDetector begins again when a partition moves, was lost meanwhile, or it is told to", () => {
  const watch = new StallDetector({ stallMs: 10 });
  look(watch, [[0, 40], [1, 20]], 0);
  assert.deepEqual(look(watch, [[0, 41], [1, 20]], 10).stalled, [1]);
  assert.deepEqual(look(watch, [[0, 41]], 15).stalled, []);
  assert.deepEqual(look(watch, [[0, 41], [1, 20]], 20).stalled, [0]);
  watch.reset();
  assert.deepEqual(look(watch, [[0, 41], [1, 20]], 40).stalled, []);
});

Deno.test("StallDetector counts from when it saw a partition lag, however long it had not looked", () => {
  const watch = new StallDetector({ stallMs: 10 });
  const lookAt = (nowMs: number, endOffset: number) => {
    const ranges = new Map([[0, { startOffset: 0, endOffset }]]);
    return watch.check(new Map([[0, 40]]), { ranges, signsOfLife: new Map(), nowMs }).stalled;
  };
  assert.deepEqual(lookAt(0, 40), []);
  assert.deepEqual(lookAt(100, 50), [], "it may have come just now");
  assert.deepEqual(lookAt(109, 50), []);
  assert.deepEqual(lookAt(110, 50), [0]);
});

Deno.test("StallDetector takes a sign of life for as good as a move", () => {
  const watch = new StallDetector({ stallMs: 10 });
  const lookAlive = (nowMs: number, aliveMs: number) =>
    watch.check(new Map([[0, 40]]), { ranges, signsOfLife: new Map([[0, aliveMs]]), nowMs })
      .stalled;
  assert.deepEqual(lookAlive(0, 0), []);
  assert.deepEqual(lookAlive(15, 8), []);
  assert.deepEqual(lookAlive(18, 8), [0]);
});

Deno.test("StallDetector refuses positions that their log does not hold", () => {
  const watch = new StallDetector({ stallMs: 10 });
  assert.throws(() => look(watch, [[0, 101]], 0), OtherLogError);
  assert.throws(() => look(watch, [[7, 0]], 0), OtherLogError);
  const later = new Map([[0, { startOffset: 60, endOffset: 100 }]]);
  assert.throws(
    () => watch.check(new Map([[0, 40]]), { ranges: later, signsOfLife: new Map(), nowMs: 0 }),
    RecordsLostError,
  );
});
