import assert from "node:assert/strict";
import { SystemStates } from "../../lib/observers/system_states.ts";

Deno.test("SystemStates begins an outage with the first failure, and counts the others", () => {
  const states = new SystemStates();
  const outage = { system: "Kafka", sinceMs: 5, attempts: 1, error: "away" };
  assert.deepEqual(states.failed("source", "away", 5), outage);
  assert.equal(states.failed("source", "still away", 6), null);
  assert.deepEqual(states.outage("Kafka"), { ...outage, attempts: 2, error: "still away" });
  assert.equal(states.outage("PostgreSQL"), null);
});

Deno.test("SystemStates ends an outage when all parts that failed have answered", () => {
  const states = new SystemStates();
  states.failed("group", "away", 5);
  states.failed("source", "away", 7);
  assert.equal(states.answered("source", 8), null);
  assert.equal(states.answered("source", 9), null);
  assert.deepEqual(states.answered("group", 10), {
    system: "Kafka",
    sinceMs: 5,
    attempts: 2,
    error: "away",
  });
  assert.equal(states.outage("Kafka"), null);
});

Deno.test("SystemStates ends no outage with the answer of a system that was not away", () => {
  const states = new SystemStates();
  states.failed("commit", "away", 5);
  assert.equal(states.answered("group", 6), null);
  assert.notEqual(states.outage("PostgreSQL"), null);
});

Deno.test("SystemStates has a system in the state of its worst part, since when it came to be so", () => {
  const states = new SystemStates();
  assert.equal(states.of("PostgreSQL"), null);
  states.answered("query", 1);
  states.answered("query", 2);
  assert.deepEqual(states.of("PostgreSQL"), { state: "up", sinceMs: 1 });
  states.failed("commit", "away", 3);
  states.failed("commit", "away", 4);
  assert.deepEqual(states.of("PostgreSQL"), { state: "down", sinceMs: 3 });
  states.answered("commit", 5);
  assert.equal(states.of("PostgreSQL")?.state, "up");
});
