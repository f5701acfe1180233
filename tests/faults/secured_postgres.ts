import { join } from "node:path";
import { Authority } from "../support/certificates.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../support/expectation.ts";
import { createTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createDatabase } from "../support/postgres.ts";
import { startSecuredPostgres } from "../support/secured_postgres.ts";
import { serverTest } from "../support/servers.ts";
import { recordsRead } from "../support/stack.ts";
import { Program } from "../support/worker_process.ts";

const ROUNDS = 3;
const RECORDS = 50_000;

serverTest(
  "PostgreSQL with TLS that is stopped, three times: the worker does not take it for a refusal",
  ["kafka", "initdb", "openssl"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "lottery-events-fault-" });
    const certificates = join(directory, "certificates");
    await Deno.mkdir(certificates);
    const authority = await Authority.create(certificates);
    const postgres = await startSecuredPostgres(directory, authority);
    try {
      await using topic = await createTopic();
      const url = new URL(postgres.url);
      url.search = `?sslmode=verify-full&sslrootcert=${authority.file}`;
      const database = await createDatabase(url.href);
      await using _closed = database.connection;
      await using worker = await Program.start(["start"], {
        env: {
          KAFKA_BROKERS: topic.brokers,
          KAFKA_TOPIC: topic.name,
          KAFKA_GROUP_ID: topic.config.groupId,
          DATABASE_URL: database.url,
        },
      });
      await worker.printed(/Reading 4 partitions/);
      const expected = new Expectation();
      for (let round = 1; round <= ROUNDS; round++) {
        await kcatProduce(topic, makeLines(RECORDS, expected));
        postgres.stop();
        await postgres.restart();
      }
      const isRead = async () => await recordsRead(database) === ROUNDS * RECORDS;
      await eventually(() => isRead().catch(() => false));
      await expected.assertStored(database.connection);
      await assertBooksBalance(database.connection);
    } finally {
      postgres.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
);
