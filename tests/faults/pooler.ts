import { faultTest } from "../support/fault_stand.ts";
import { PgBouncer } from "../support/pgbouncer.ts";

faultTest(
  "PostgreSQL behind PgBouncer is stopped, and PgBouncer itself killed: the worker waits and counts exactly",
  { ownsPostgres: true, hasPooler: true },
  async (stand) => {
    const settings = { query_wait_timeout: "2", server_login_retry: "1" };
    const pooler = await PgBouncer.start(stand.database.url, { poolMode: "session", settings });
    await using _pooler = pooler;
    await using worker = await stand.startWorker(stand.env(pooler.url));
    await stand.whileProducing(async () => {
      await stand.progress();
      stand.postgres!.stop();
      await worker.printed(/Waiting for PostgreSQL/);
      await stand.postgres!.restart();
      await stand.database.connection.query({ text: "select 1" }).catch(() => {});
      await stand.progress();
      for (let round = 0; round < 3; round++) {
        await pooler.restart();
        await stand.progress();
      }
    });
    await stand.assertExact();
  },
);
