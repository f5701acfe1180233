import assert from "node:assert/strict";
import { Health } from "../../lib/io/health.ts";

/** What is wrong after these calls. */
function problemAfter(calls: (health: Health) => void): string | null {
  const health = new Health();
  calls(health);
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
      health.answered("sink");
      health.failed("source");
    }, null],
    ["that PostgreSQL was not asked yet", (health) => health.answered("group"), /not asked yet/],
    ["that PostgreSQL does not answer", (health) => {
      health.answered("group");
      health.answered("sink");
      health.failed("looks");
    }, /^PostgreSQL does not answer$/],
    ["which partitions cannot be read", (health) => {
      health.answered("group");
      health.answered("sink");
      health.unavailable(new Map([[4, "no leader"], [1, "no leader"]]));
    }, /^not reading partitions 1, 4: no leader$/],
    ["nothing of what is over", (health) => {
      health.failed("group");
      health.failed("sink");
      health.answered("group");
      health.answered("sink");
      health.unavailable(new Map([[4, "no leader"]]));
      health.unavailable(new Map());
    }, null],
  ] satisfies [string, (health: Health) => void, RegExp | null][]
) {
  Deno.test(`Health tells ${name}`, () => {
    const told = problemAfter(calls);
    if (problem === null) assert.equal(told, null);
    else assert.match(told ?? "", problem);
  });
}
