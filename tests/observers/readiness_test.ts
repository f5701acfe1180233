import assert from "node:assert/strict";
import { UnavailableError } from "../../lib/core/failure.ts";
import { readinessProblem } from "../../lib/observers/readiness.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { FencedError } from "../../lib/pipeline/sink.ts";

/** What is wrong after these calls, which may let time pass. */
function problemAfter(
  calls: (state: WorkerState, pass: (ms: number) => void) => void,
): string | null {
  let nowMs = 0;
  const state = new WorkerState({ steadyMs: () => nowMs });
  calls(state, (ms) => nowMs += ms);
  return readinessProblem(state);
}

const AWAY = new UnavailableError("away");

for (
  const [name, calls, problem] of [
    ["that it has only begun", () => {}, /^not joined to the consumer group$/],
    ["that Kafka does not answer, before PostgreSQL was asked", (state) => {
      state.failed("source", AWAY);
    }, /^Kafka does not answer$/],
    ["nothing of a look at the log that failed, once it is joined", (state) => {
      state.answered("group");
      state.answered("commit");
      state.failed("source", AWAY);
    }, null],
    ["that Kafka does not answer, where the looks fail and go on failing", (state, pass) => {
      state.answered("group");
      state.answered("commit");
      state.failed("source", AWAY);
      pass(3_000);
      state.failed("source", AWAY);
      pass(2_000);
    }, /^Kafka does not answer$/],
    ["that Kafka does not answer, where the group is lost as well", (state) => {
      state.answered("group");
      state.answered("commit");
      state.failed("source", AWAY);
      state.failed("group", AWAY);
    }, /^Kafka does not answer$/],
    ["nothing of looks that fail now and then", (state, pass) => {
      state.answered("group");
      state.answered("commit");
      state.failed("source", AWAY);
      pass(60_000);
      state.answered("source");
      state.failed("source", AWAY);
      pass(1_000);
    }, null],
    ["nothing of commits that were refused, once it has other partitions", (state) => {
      state.answered("group");
      state.answered("commit");
      state.fenced(new FencedError("fenced", { isStuck: true }));
      state.assigned([1]);
    }, null],
    [
      "that PostgreSQL has not answered yet",
      (state) => state.answered("group"),
      /not answered yet/,
    ],
    ["that PostgreSQL does not answer", (state) => {
      state.answered("group");
      state.answered("commit");
      state.failed("query", AWAY);
    }, /^PostgreSQL does not answer$/],
    ["which partitions cannot be read", (state) => {
      state.answered("group");
      state.answered("commit");
      state.unavailable(new Map([[4, "no leader"], [1, "no leader"]]));
    }, /^not reading partitions 1 and 4: no leader$/],
    ["nothing of what is over", (state) => {
      state.failed("group", AWAY);
      state.failed("commit", AWAY);
      state.answered("group");
      state.answered("commit");
      state.unavailable(new Map([[4, "no leader"]]));
      state.unavailable(new Map());
    }, null],
  ] satisfies [string, Parameters<typeof problemAfter>[0], RegExp | null][]
) {
  Deno.test(`readinessProblem() tells ${name}`, () => {
    const told = problemAfter(calls);
    if (problem === null) assert.equal(told, null);
    else assert.match(told ?? "", problem);
  });
}
