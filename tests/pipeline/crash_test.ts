import fc from "fast-check";
import assert from "node:assert/strict";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { MemorySink, MemorySource, MemoryStore } from "../support/memory_ends.ts";
import { assertCountedOnce, isComplete, makeLog, runToEnd } from "../support/pipeline_run.ts";
import { Steps } from "../support/steps.ts";

const LOG = makeLog(2, 12);

/** What may happen at a step; a worker that is killed is started again by the test. */
const MISHAPS: Readonly<
  Record<string, (world: { steps: Steps; source: MemorySource; store: MemoryStore }) => unknown>
> = {
  "killed and started again": ({ steps }) => steps.crash(new OperatorError("killed")),
  "given its partitions again": ({ source }) => source.isReading && source.assign([1, 0]),
  "left with one partition, and given both again": ({ source }) => {
    if (!source.isReading) return;
    source.assign([1]);
    source.assign([0, 1]);
  },
  "overtaken by another worker": async ({ store }) => {
    const log = LOG.map((records) => records.slice(0, 7));
    if ([...store.offsets.values()].some((offset) => offset > 7)) return;
    await runToEnd({ source: new MemorySource(log), sink: new MemorySink(store), store, log })
      .catch(() => {}); // it was overtaken itself
  },
};

for (const [name, mishap] of Object.entries(MISHAPS)) {
  Deno.test(`Pipeline counts every record once, at whatever step it is ${name}`, async () => {
    const seen = new Set<string>();
    for (let at = 0, isOver = false; !isOver; at++) {
      const store = new MemoryStore();
      const source = new MemorySource(LOG, { fetchSize: 3 });
      const steps: Steps = new Steps(at, () => mishap({ steps, source, store }) as void);
      await runToEnd({
        source: steps.source(source),
        sink: steps.sink(new MemorySink(store)),
        store,
        log: LOG,
      }).catch((error) => {
        if (!/killed/.test(String(error))) throw error;
      });
      await runToEnd({
        source: new MemorySource(LOG),
        sink: new MemorySink(store),
        store,
        log: LOG,
      });
      assertCountedOnce(store, LOG);
      isOver = !steps.hasHappened;
      for (const step of steps.taken) seen.add(step);
    }
    const calls = ["read", "assigned", "viewLog", "positions", "horizon", "resume"];
    for (const call of [...calls, "fetched", "commit", "acknowledge"]) {
      assert.ok(seen.has(`before ${call}`), `${call} is a step`);
    }
  });
}

/** What may happen at a step of committing. */
type Mishap = "none" | "lost" | "killed" | "rebalanced" | "overtaken";

Deno.test("Pipeline counts every record once, whatever happens around its commits", async () => {
  const log = makeLog(3, 20);
  const mishap = fc.constantFrom<Mishap>(
    "none",
    "none",
    "lost",
    "killed",
    "rebalanced",
    "overtaken",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(mishap, { maxLength: 12 }),
      fc.integer({ min: 1, max: 9 }),
      async (mishaps, fetchSize) => {
        const store = new MemoryStore();
        const upcoming = [...mishaps];
        while (!isComplete(store, log)) {
          const source = new MemorySource(log, { fetchSize });
          const sink = new MemorySink(store, async () => {
            switch (upcoming.shift()) {
              case "lost":
                throw new UnavailableError("lost");
              case "killed":
                throw new OperatorError("killed");
              case "rebalanced":
                return source.assign([2, 0, 1]);
              case "overtaken": {
                const other = new MemorySource(log.map((records) => records.slice(0, 13)));
                const all = log.map((records) => records.slice(0, 13));
                if ([...store.offsets.values()].every((offset) => offset <= 13)) {
                  await runToEnd({ source: other, sink: new MemorySink(store), store, log: all });
                }
              }
            }
          });
          await runToEnd({ source, sink, store, log }).catch((error) => {
            if (!/killed/.test(String(error))) throw error;
          });
        }
        assertCountedOnce(store, log);
      },
    ),
    { numRuns: 60 },
  );
});
