import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { makeBroker, makeGroup, NOTHING, refused } from "../../../support/group_member.ts";

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require("kafkajs/src/protocol/error.js");

Deno.test("a member whose coordinator is away asks who it is now, and joins there", async () => {
  const { group } = makeGroup(makeBroker(() => Promise.resolve(NOTHING)));
  group.coordinator.heartbeat = () => Promise.reject(refused());
  await assert.rejects(group.heartbeat({ interval: 0 }), { type: "NOT_COORDINATOR_FOR_GROUP" });
  group.coordinator.connectionPool.pool[0].isConnected = () => false;
  group.coordinator.heartbeat = () => assert.fail("it is not asked any more");
  await assert.rejects(group.heartbeat({ interval: 0 }), { type: "NOT_COORDINATOR_FOR_GROUP" });
});

Deno.test("a member waits for another coordinator, and keeps its name meanwhile", async () => {
  const { group, refreshes } = makeGroup(makeBroker(() => Promise.resolve(NOTHING)));
  group.retrier = (join: (bail: (error: unknown) => void) => Promise<void>) =>
    new Promise((resolve, reject) => void join(reject).then(resolve, reject));
  const joined = new Error("it was asked again");
  const answers = [refused(), createErrorFromCode(14), joined];
  group.cluster.findGroupCoordinator = () => Promise.reject(answers.shift());
  await assert.rejects(group.joinAndSync(), joined);
  assert.equal(refreshes(), 2);
  assert.equal(group.memberId, "member");
});

Deno.test("Kafka's stored offsets are neither asked for nor reset", async () => {
  const { group } = makeGroup(makeBroker(() => Promise.resolve(NOTHING)));
  const manager = group.offsetManager;
  manager.getCoordinator = () => assert.fail("the coordinator is not asked");
  await manager.resolveOffsets();
  assert.deepEqual(manager.committedOffsets(), { events: { 0: "0", 1: "0" } });
  manager.cluster.fetchTopicsOffset = () =>
    Promise.resolve([{ topic: "events", partitions: [{ partition: 1, offset: "42" }] }]);
  await manager.setDefaultOffset({ topic: "events", partition: 1 });
  assert.equal(manager.nextOffset("events", 1).toString(), "42");
});
