import { createTopic } from "../../support/kafka.ts";
import { serverTest } from "../../support/servers.ts";

serverTest("a topic of many partitions is there for tests once the broker knows all of them", [
  "kafka",
], async () => {
  for (let round = 0; round < 3; round++) {
    await using _topic = await createTopic({ partitions: 256 });
  }
});
