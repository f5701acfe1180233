import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../support/expectation.ts";
import { createTopic } from "../support/kafka.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createDatabase } from "../support/postgres.ts";
import {
  grantCounter,
  overMutualTls,
  overSasl,
  startSecuredKafka,
} from "../support/secured_kafka.ts";
import { serverTest } from "../support/servers.ts";
import { recordsRead } from "../support/stack.ts";
import { Program } from "../support/worker_process.ts";

const ROUNDS = 3;
const RECORDS = 50_000;

serverTest(
  "a broker with TLS and log-ins that is killed, three times: no worker takes it for a refusal",
  ["java", "openssl", "kafka", "postgres"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "lottery-events-fault-" });
    const { broker, kafka } = await startSecuredKafka(directory);
    try {
      const topic = await createTopic({}, kafka.open);
      await grantCounter(topic);
      await using database = await createDatabase();
      const env = {
        KAFKA_TOPIC: topic.name,
        KAFKA_GROUP_ID: topic.config.groupId,
        DATABASE_URL: database.url,
      };
      const expected = new Expectation();
      const ways = [overMutualTls(kafka), overSasl(kafka, { mechanism: "scram-sha-512" })];
      await using first = await Program.start(["start"], { env: { ...env, ...ways[0] } });
      await using second = await Program.start(["start"], { env: { ...env, ...ways[1] } });
      await first.printed(/Reading 2 partitions/);
      await second.printed(/Reading 2 partitions/);
      for (let round = 1; round <= ROUNDS; round++) {
        await kcatProduce(topic, makeLines(RECORDS, expected));
        broker.kill();
        await broker.restart();
      }
      try {
        await eventually(async () => await recordsRead(database) === ROUNDS * RECORDS);
      } catch (error) {
        throw new Error(`They printed:\n${first.stderr}\n${second.stderr}`, { cause: error });
      }
      await expected.assertStored(database.connection);
      await assertBooksBalance(database.connection);
    } finally {
      broker.kill();
      await Deno.remove(directory, { recursive: true });
    }
  },
);
