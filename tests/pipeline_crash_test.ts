import fc from "fast-check";
import { OperatorError, UnavailableError } from "../lib/core/failure.ts";
import { MemorySink, MemorySource, MemoryStore } from "./support/memory_ends.ts";
import { assertCountedOnce, isComplete, makeLog, runToEnd } from "./support/pipeline_run.ts";

Deno.test("Pipeline counts every record once, wherever it is killed and started again", async () => {
  const log = makeLog(2, 24);
  // Killed at each step of committing, in turn: before it is stored, and after.
  for (let step = 1; step <= 30; step++) {
    const store = new MemoryStore();
    let steps = 0;
    const sink = new MemorySink(store, () => {
      if (++steps === step) throw new OperatorError("killed");
    });
    await runToEnd({ source: new MemorySource(log, { fetchSize: 2 }), sink, store, log })
      .catch(() => {});
    await runToEnd({ source: new MemorySource(log), sink: new MemorySink(store), store, log });
    assertCountedOnce(store, log);
  }
});

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
