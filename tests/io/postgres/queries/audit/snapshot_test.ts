import assert from "node:assert/strict";
import { openAudit } from "../../../../../lib/io/postgres/queries/audit/snapshot.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { IDENTITY, openPostgresHarness } from "../../harness.ts";

serverTest(
  "openAudit() ends between two queries once it is aborted, and leaves the connection free",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    const stop = new AbortController();
    const options = {
      topic: IDENTITY.topic,
      windowMs: 60_000,
      maxHourDifferences: 1,
      signal: stop.signal,
    };
    assert.equal((await openAudit(connection, options)).report().verdict, "agrees");
    const reason = new Error("stopped");
    const opening = openAudit(connection, options);
    stop.abort(reason);
    await assert.rejects(opening, reason);
    const [row] = await connection.query<{ isolation: string }>({
      text: "select current_setting('transaction_isolation') as isolation",
    });
    assert.equal(row!.isolation, "read committed");
  },
);
