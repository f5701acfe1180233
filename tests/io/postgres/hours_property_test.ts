import fc from "fast-check";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { oldStep, probe, step } from "./hours_steps.ts";
import { World } from "./hours_world.ts";

serverTest(
  "every hour is the sum of its minutes, and every range is right, whatever happened since a version without hours",
  ["postgres"],
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(oldStep, probe), { maxLength: 6 }),
        fc.array(fc.tuple(step, probe), { maxLength: 24 }),
        async (before, after) => {
          await using database = await createDatabase();
          await using world = await World.open(database.url);
          for (const [step, probe] of before) {
            await world.take(step);
            await world.assertAsItShould(probe);
          }
          await world.migrate();
          for (const [step, probe] of after) {
            await world.take(step);
            await world.assertAsItShould(probe);
          }
        },
      ),
      // The seed repeats a failure; to look for a shorter one takes minutes.
      { numRuns: 10, endOnFailure: true },
    );
  },
);
