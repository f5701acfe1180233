/**
 * A topic and a database of one test, and the settings that point the program at them.
 * @module
 */

import { createTopic, type TestTopic, type TopicOptions } from "./kafka.ts";
import { createDatabase, type TestDatabase } from "./postgres.ts";

export interface TestStack extends AsyncDisposable {
  readonly topic: TestTopic;
  readonly database: TestDatabase;
  /** Environment of a worker of this stack. */
  readonly env: Readonly<Record<string, string>>;
}

export async function openStack(options: TopicOptions = {}): Promise<TestStack> {
  await using opened = new AsyncDisposableStack();
  const topic = opened.use(await createTopic(options));
  const database = opened.use(await createDatabase());
  const release = opened.move();
  return {
    topic,
    database,
    env: {
      KAFKA_BROKERS: topic.brokers,
      KAFKA_TOPIC: topic.name,
      KAFKA_GROUP_ID: topic.config.groupId,
      DATABASE_URL: database.url,
    },
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

/** Number of records that the database has as read. */
export async function recordsRead({ connection }: TestDatabase): Promise<number> {
  const [row] = await connection.query<{ records: number }>({
    text: "select coalesce(sum(counted + dead), 0)::bigint as records from kafka_offsets",
  });
  return row!.records;
}
