import assert from "node:assert/strict";
import { fittingStep, stepName, STEPS } from "../../../lib/core/views/steps.ts";

const MINUTE_MS = 60_000;

Deno.test("stepName() is the name of a step, and of another length its seconds", () => {
  for (const [name, stepMs] of STEPS) assert.equal(stepName(stepMs), name);
  assert.equal(stepName(90_000), "90s");
});

Deno.test("fittingStep() is the shortest that gives few enough buckets, or the longest", () => {
  assert.equal(fittingStep(1, 10), MINUTE_MS);
  assert.equal(fittingStep(10 * MINUTE_MS, 10), MINUTE_MS);
  assert.equal(fittingStep(10 * MINUTE_MS + 1, 10), 5 * MINUTE_MS);
  assert.equal(fittingStep(1e15, 10), 7 * 24 * 60 * MINUTE_MS);
});
