import assert from "node:assert/strict";
import { auditReport, countAll } from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { Expectation } from "../../support/expectation.ts";
import { openAdmin } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { securedKafka } from "../../support/secured_kafka.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

serverTest(
  "reset --log says where, and goes on in another cluster, in a topic of the same name",
  ["java", "openssl", "kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 2 });
    const expected = new Expectation();
    await kcatProduce(stack.topic, makeLines(2_000, expected));
    await countAll(stack);

    const brokers = (await securedKafka()).open;
    const moved = { env: { ...stack.env, KAFKA_BROKERS: brokers } };
    await using admin = await openAdmin(brokers);
    const topic = { ...stack.topic, brokers };
    await admin.createTopics({ topics: [{ topic: topic.name, numPartitions: 3 }] });
    // So much was copied there from the old cluster.
    await kcatProduce(topic, makeLines(1_000, new Expectation()), { partition: 2 });
    const refused = await runProgram(["start", "--once"], { env: moved.env });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /KAFKA_BROKERS \(the cluster's id\) is .*, but was .*`reset`/);

    const to = ["--to", "0:0,1:0,2:1000"];
    const { username, host, pathname } = new URL(stack.database.url);
    const { clusterId } = await admin.describeCluster();
    const places = `Database  ${username}@${host}${pathname}\n` +
      `Kafka     ${topic.name} at ${brokers}, cluster ${clusterId}\n\nKeeps all counts`;
    const unanswered = await runProgram(["reset", "--log", ...to], moved);
    assert.equal(unanswered.code, 1);
    assert.ok(unanswered.stdout.startsWith(places), unanswered.stdout);
    const reset = await runProgram(["reset", "--log", ...to, "--yes"], moved);
    assert.equal(reset.code, 0, reset.stderr);
    await kcatProduce(topic, makeLines(2_000, expected));
    await countAll(moved);
    await expected.assertStored(stack.database.connection);
    const report = await auditReport(moved);
    assert.equal(report.code, 3, JSON.stringify(report));
    assert.equal(report.records, 2_000);
    assert.deepEqual(report.dead_letters.wrong + report.rows.wrong, 0);
    assert.match(
      (await runProgram(["audit"], { env: stack.env })).stderr,
      /KAFKA_BROKERS .* is .*, but was/,
    );
  },
);
