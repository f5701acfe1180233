import fc from "fast-check";
import assert from "node:assert/strict";
import {
  CommitPolicy,
  FULL_BYTES,
  LEAST_FULL_BYTES,
  type PendingSize,
} from "../../../lib/core/windowing/commit_policy.ts";

const commitIntervalMs = fc.integer({ min: 10, max: 60_000 });
const size = fc.record<PendingSize>({
  ageMs: fc.double({ min: 0, max: 200_000, noNaN: true }),
  bytes: fc.nat({ max: 2 * FULL_BYTES }),
  isAwaited: fc.boolean(),
});
/** What became of earlier commits: null for one that succeeded, else the size of one that was too slow. */
const history = fc.array(fc.option(fc.nat({ max: 2 * FULL_BYTES })), { maxLength: 60 });

/** A policy that has seen these commits. */
function policyAfter(outcomes: readonly (number | null)[], intervalMs = 250): CommitPolicy {
  const policy = new CommitPolicy({ commitIntervalMs: intervalMs });
  for (const bytes of outcomes) {
    if (bytes === null) policy.succeeded();
    else policy.tooSlow(bytes);
  }
  return policy;
}

Deno.test("CommitPolicy waits neither longer than the interval nor for a negative time", () => {
  fc.assert(fc.property(history, commitIntervalMs, size, (outcomes, intervalMs, pending) => {
    const dueInMs = policyAfter(outcomes, intervalMs).dueInMs(pending);
    assert.ok(dueInMs >= 0 && dueInMs <= intervalMs, `${dueInMs}`);
    if (pending.ageMs >= intervalMs) assert.equal(dueInMs, 0);
  }));
});

Deno.test("CommitPolicy commits at once what is awaited, and what fills the room", () => {
  fc.assert(fc.property(history, size, (outcomes, pending) => {
    const policy = policyAfter(outcomes);
    assert.equal(policy.dueInMs({ ...pending, isAwaited: true }), 0);
    if (!policy.hasRoom(pending.bytes)) assert.equal(policy.dueInMs(pending), 0);
  }));
});

Deno.test("CommitPolicy waits for exactly the rest of the interval when little is pending", () => {
  fc.assert(fc.property(history, size, fc.nat(), (outcomes, { ageMs }, seed) => {
    const bytes = seed % LEAST_FULL_BYTES;
    const dueInMs = policyAfter(outcomes).dueInMs({ ageMs, bytes, isAwaited: false });
    assert.equal(dueInMs, Math.max(0, 250 - ageMs));
  }));
});

Deno.test("CommitPolicy never waits longer for what is older, larger or awaited", () => {
  const more = fc.record({ ageMs: fc.nat({ max: 10_000 }), bytes: fc.nat({ max: FULL_BYTES }) });
  fc.assert(fc.property(history, size, more, (outcomes, pending, { ageMs, bytes }) => {
    const policy = policyAfter(outcomes);
    const dueInMs = policy.dueInMs(pending);
    assert.ok(policy.dueInMs({ ...pending, ageMs: pending.ageMs + ageMs }) <= dueInMs, "older");
    assert.ok(policy.dueInMs({ ...pending, bytes: pending.bytes + bytes }) <= dueInMs, "larger");
    assert.ok(policy.dueInMs({ ...pending, isAwaited: true }) <= dueInMs, "awaited");
    if (policy.hasRoom(pending.bytes + bytes)) assert.ok(policy.hasRoom(pending.bytes), "room");
  }));
});

Deno.test("CommitPolicy keeps its limit between the least and the full, whatever has happened", () => {
  fc.assert(fc.property(history, (outcomes) => {
    const { fullBytes } = policyAfter(outcomes);
    assert.ok(fullBytes >= LEAST_FULL_BYTES && fullBytes <= FULL_BYTES, `${fullBytes}`);
  }));
});

Deno.test("CommitPolicy allows less than was too slow, down to the least, and waits before the next", () => {
  fc.assert(fc.property(history, fc.nat({ max: 2 * FULL_BYTES }), (outcomes, bytes) => {
    const policy = policyAfter(outcomes);
    const before = policy.fullBytes;
    assert.ok(policy.tooSlow(bytes) > 0);
    assert.ok(policy.fullBytes < before || before === LEAST_FULL_BYTES);
    assert.ok(policy.fullBytes <= Math.max(LEAST_FULL_BYTES, bytes / 4));
  }));
});

Deno.test("CommitPolicy grows with each success, and is back after 19 at the latest", () => {
  fc.assert(fc.property(history, (outcomes) => {
    const policy = policyAfter(outcomes);
    for (let successes = 0; successes < 19; successes++) {
      const before = policy.fullBytes;
      policy.succeeded();
      assert.ok(policy.fullBytes > before || before === FULL_BYTES);
    }
    assert.equal(policy.fullBytes, FULL_BYTES);
  }));
});

Deno.test("CommitPolicy commits sooner while it allows less, so that reading need not pause", () => {
  const pending = { ageMs: 0, bytes: 500_000, isAwaited: false };
  assert.equal(policyAfter([]).dueInMs(pending), 250);
  assert.equal(policyAfter([1_000_000]).dueInMs(pending), 0);
});
