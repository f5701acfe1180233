import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { Availability } from "../../lib/pipeline/availability.ts";
import type { System } from "../../lib/pipeline/observer.ts";
import { CommitTooSlowError, FencedError } from "../../lib/pipeline/sink.ts";

/** Asks the sink: one failure that passes, and then this. */
async function ask(last: () => Promise<string>) {
  const told: string[] = [];
  const outages = new Availability({
    failed: (system: System) => void told.push(`failed ${system}`),
    answered: (system: System) => void told.push(`answered ${system}`),
  });
  let isAwayMeanwhile = false;
  let tries = 0;
  const outcome = await outages.retry("commit", () => {
    if (tries++ === 0) return Promise.reject(new UnavailableError("away"));
    isAwayMeanwhile = outages.isAway("commit");
    assert.equal(outages.isAway("query"), false, "another part of it");
    return last();
  }, new AbortController().signal).catch(({ name }: Error) => name);
  assert.ok(isAwayMeanwhile);
  return { outcome, told, isAway: outages.isAway("commit") };
}

Deno.test("Availability tells when a system is away, and when it has answered", async () => {
  assert.deepEqual(await ask(() => Promise.resolve("yes")), {
    outcome: "yes",
    told: ["failed commit", "answered commit"],
    isAway: false,
  });
});

Deno.test("Availability takes a fence for an answer, so that nothing waits for a sink that is there", async () => {
  assert.deepEqual(await ask(() => Promise.reject(new FencedError("moved"))), {
    outcome: "FencedError",
    told: ["failed commit", "answered commit"],
    isAway: false,
  });
});

Deno.test("Availability waits for nothing after a refusal, but does not call it the outage's end", async () => {
  for (const error of [new CommitTooSlowError("too much"), new OperatorError("mend it")]) {
    const { told, isAway } = await ask(() => Promise.reject(error));
    assert.deepEqual(told, ["failed commit"]);
    assert.equal(isAway, false);
  }
});
