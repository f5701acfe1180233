import assert from "node:assert/strict";
import { createTopic, freshBroker } from "../support/kafka.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { runProgram } from "../support/worker_process.ts";

serverTest("a broker with an IPv6 address, given and advertised, is used by every command", [
  "java",
  "kafka",
  "postgres",
], async () => {
  await using broker = await freshBroker({ host: "[::1]" });
  await using topic = await createTopic({}, broker.address);
  await using database = await createDatabase();
  const env = {
    KAFKA_BROKERS: broker.address,
    KAFKA_TOPIC: topic.name,
    DATABASE_URL: database.url,
  };
  for (
    const args of [
      ["doctor"],
      ["produce", "--count", "500", "--rate", "max"],
      ["start", "--once"],
      ["status"],
      ["audit"],
    ]
  ) {
    const { code, stdout, stderr } = await runProgram(args, { env });
    assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
  }
  const [row] = await database.connection.query<{ records: number }>({
    text: "select sum(counted + dead)::bigint as records from kafka_offsets",
  });
  assert.equal(row!.records, 500);
});
