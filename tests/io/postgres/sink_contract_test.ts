import { EmbeddedPostgres } from "../../../lib/io/pglite.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { MemorySink, MemoryStore } from "../../support/memory_ends.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { testSinkContract } from "../../support/sink_contract.ts";
import { openPostgresHarness } from "./harness.ts";

testSinkContract(
  "PostgreSQL",
  (name, test) => serverTest(name, ["postgres"], test),
  async () => {
    const database = await createDatabase();
    return await openPostgresHarness(
      database.url,
      async () => await database[Symbol.asyncDispose](),
    );
  },
);

// One for all of its tests, because it takes seconds to start; each begins with an empty schema.
const embedded = Promise.withResolvers<EmbeddedPostgres>();
Deno.test.beforeAll(async () => embedded.resolve(await EmbeddedPostgres.open()));
Deno.test.afterAll(async () => await (await embedded.promise)[Symbol.asyncDispose]());

testSinkContract("PGlite", Deno.test, async () => {
  const { url } = await embedded.promise;
  await using connection = new Connection(url);
  await connection.query({ text: "drop schema public cascade; create schema public" });
  return await openPostgresHarness(url, async () => {});
});

testSinkContract("memory", Deno.test, () => {
  const store = new MemoryStore();
  return Promise.resolve({
    first: new MemorySink(store),
    second: new MemorySink(store),
    setHorizon: (horizonMs) => {
      store.horizonMs = horizonMs;
      return Promise.resolve();
    },
    stored: () => Promise.resolve(store),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
