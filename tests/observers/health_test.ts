import assert from "node:assert/strict";
import { Health } from "../../lib/observers/health.ts";
import { FencedError } from "../../lib/pipeline/sink.ts";

/** What is wrong after these calls, which may let time pass. */
function problemAfter(calls: (health: Health, pass: (ms: number) => void) => void): string | null {
  let nowMs = 0;
  const health = new Health({ now: () => nowMs });
  calls(health, (ms) => nowMs += ms);
  return health.problem;
}

for (
  const [name, calls, problem] of [
    ["that it has only begun", () => {}, /^not joined to the consumer group$/],
    ["that Kafka does not answer, before PostgreSQL was asked", (health) => {
      health.failed("source");
    }, /^Kafka does not answer$/],
    ["nothing of a look at the log that failed, once it is joined", (health) => {
      health.answered("group");
      health.answered("commit");
      health.failed("source");
    }, null],
    ["that Kafka does not answer, where the looks fail and go on failing", (health, pass) => {
      health.answered("group");
      health.answered("commit");
      health.failed("source");
      pass(3_000);
      health.failed("source");
      pass(2_000);
    }, /^Kafka does not answer$/],
    ["that Kafka does not answer, where the group is lost as well", (health) => {
      health.answered("group");
      health.answered("commit");
      health.failed("source");
      health.failed("group");
    }, /^Kafka does not answer$/],
    ["nothing of looks that fail now and then", (health, pass) => {
      health.answered("group");
      health.answered("commit");
      health.failed("source");
      pass(60_000);
      health.answered("source");
      health.failed("source");
      pass(1_000);
    }, null],
    ["nothing of commits that were refused, once it has other partitions", (health) => {
      health.answered("group");
      health.answered("commit");
      health.fenced(new FencedError("fenced", { isStuck: true }));
      health.assigned();
    }, null],
    ["that PostgreSQL was not asked yet", (health) => health.answered("group"), /not asked yet/],
    ["that PostgreSQL does not answer", (health) => {
      health.answered("group");
      health.answered("commit");
      health.failed("query");
    }, /^PostgreSQL does not answer$/],
    ["which partitions cannot be read", (health) => {
      health.answered("group");
      health.answered("commit");
      health.unavailable(new Map([[4, "no leader"], [1, "no leader"]]));
    }, /^not reading partitions 1 and 4: no leader$/],
    ["nothing of what is over", (health) => {
      health.failed("group");
      health.failed("commit");
      health.answered("group");
      health.answered("commit");
      health.unavailable(new Map([[4, "no leader"]]));
      health.unavailable(new Map());
    }, null],
  ] satisfies [string, Parameters<typeof problemAfter>[0], RegExp | null][]
) {
  Deno.test(`Health tells ${name}`, () => {
    const told = problemAfter(calls);
    if (problem === null) assert.equal(told, null);
    else assert.match(told ?? "", problem);
  });
}
