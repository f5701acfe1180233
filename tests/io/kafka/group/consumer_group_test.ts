import assert from "node:assert/strict";
import { createKafka } from "../../../../lib/io/kafka/client.ts";
import { ConsumerGroup } from "../../../../lib/io/kafka/group/consumer_group.ts";
import { eventually } from "../../../support/eventually.ts";
import { JavaConsumer } from "../../../support/java_consumer.ts";
import { createTopic } from "../../../support/kafka.ts";
import { serverTest } from "../../../support/servers.ts";

for (const protocol of ["classic", "consumer"] as const) {
  serverTest(
    `ConsumerGroup tells who is in a group of the ${protocol} protocol, and what they have`,
    ["kafka", "java"],
    async () => {
      await using topic = await createTopic();
      const { config, brokers, name } = topic;
      await using group = new ConsumerGroup(await createKafka(config), config);
      assert.deepEqual(await group.describe(), { isSettled: true, members: [] });
      const { groupId } = config;
      await using java = await JavaConsumer.start({ brokers, topic: name, groupId, protocol });
      const members = await eventually(async () => {
        const { isSettled, members } = await group.describe();
        const hasAll = members?.some(({ partitions }) => partitions.length > 0);
        return isSettled && hasAll ? members! : false;
      });
      const { clientId, host, partitions } = members[0]!;
      assert.equal(clientId, "console-consumer");
      assert.match(host, /^[\d.:a-f]+$/);
      assert.deepEqual(partitions, [0, 1, 2, 3]);
      await java.stop();
      await eventually(async () => (await group.describe()).members!.length === 0);
    },
  );
}

serverTest("ConsumerGroup knows all partitions, and tells what is wrong with a topic", [
  "kafka",
], async () => {
  await using topic = await createTopic({ partitions: 3 });
  await using group = new ConsumerGroup(await createKafka(topic.config), topic.config);
  assert.deepEqual(
    await group.partitions(),
    [0, 1, 2].map((partition) => ({ partition, leaderProblem: null })),
  );
  const missing = { ...topic.config, topic: "not-there" };
  await using nothing = new ConsumerGroup(await createKafka(missing), missing);
  await assert.rejects(nothing.partitions(), /does not have the topic not-there/);
});
