import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { CommitTooSlowError, FencedError, type System } from "../../lib/pipeline/endpoints.ts";
import { Outages } from "../../lib/pipeline/availability.ts";

/** Asks the sink: one failure that passes, and then this. */
async function ask(last: () => Promise<string>) {
  const told: string[] = [];
  const outages = new Outages({
    failed: (system: System) => void told.push(`failed ${system}`),
    answered: (system: System) => void told.push(`answered ${system}`),
  });
  let isAwayMeanwhile = false;
  let tries = 0;
  const outcome = await outages.ask("sink", () => {
    if (tries++ === 0) return Promise.reject(new UnavailableError("away"));
    isAwayMeanwhile = outages.isAway("sink");
    assert.equal(outages.isAway("looks"), false, "another part of it");
    return last();
  }, new AbortController().signal).catch(({ name }: Error) => name);
  assert.ok(isAwayMeanwhile);
  return { outcome, told, isAway: outages.isAway("sink") };
}

Deno.test("Outages tells when a system is away, and when it has answered", async () => {
  assert.deepEqual(await ask(() => Promise.resolve("yes")), {
    outcome: "yes",
    told: ["failed sink", "answered sink"],
    isAway: false,
  });
});

Deno.test("Outages takes a fence for an answer, so that nothing waits for a sink that is there", async () => {
  assert.deepEqual(await ask(() => Promise.reject(new FencedError("moved"))), {
    outcome: "FencedError",
    told: ["failed sink", "answered sink"],
    isAway: false,
  });
});

Deno.test("Outages waits for nothing after a refusal, but does not call it the outage's end", async () => {
  for (const error of [new CommitTooSlowError("too much"), new OperatorError("mend it")]) {
    const { told, isAway } = await ask(() => Promise.reject(error));
    assert.deepEqual(told, ["failed sink"]);
    assert.equal(isAway, false);
  }
});
