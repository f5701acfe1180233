import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { makeBroker, makeGroup, NOTHING, refused } from "../../../support/group_member.ts";

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require("kafkajs/src/protocol/error.js");

Deno.test("a member shows life while a fetch takes longer than its interval", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { group } = makeGroup(makeBroker(() => answer.promise));
  group.coordinator.heartbeat = () => Promise.resolve(answer.resolve(NOTHING));
  assert.deepEqual(await group.fetch("1"), []);
});

Deno.test("a fetch tells that it is busy while bytes come in, when it was full, and when it is throttled", async () => {
  const answer = Promise.withResolvers<unknown>();
  const slow = makeGroup(makeBroker((queue) => {
    queue.receivedBytes += 10;
    return answer.promise;
  }));
  slow.group.coordinator.heartbeat = () => Promise.resolve(answer.resolve(NOTHING));
  await slow.group.fetch("1");
  assert.deepEqual(slow.told.map(({ isBusy }) => isBusy), [true, false]);
  assert.deepEqual([...slow.told[0]!.partitions].sort(), [0, 1]);

  const full = makeGroup(makeBroker((queue) => {
    queue.receivedBytes += 900;
    return Promise.resolve(NOTHING);
  }));
  await full.group.fetch("1");
  assert.deepEqual(full.told.map(({ isBusy, throttledMs }) => [isBusy, throttledMs]), [[true, 0]]);

  const throttled = makeGroup(makeBroker((queue) => {
    queue.throttledUntil = Date.now() + 60_000;
    return Promise.resolve(NOTHING);
  }));
  await throttled.group.fetch("1");
  assert.equal(throttled.told[0]!.isBusy, true);
  assert.ok(throttled.told[0]!.throttledMs > 50_000);

  const idle = makeGroup(makeBroker(() => Promise.resolve(NOTHING)));
  await idle.group.fetch("1");
  assert.equal(idle.told[0]!.isBusy, false);
});

for (
  const [name, error] of [
    ["is away", refused()],
    ["has just lost a partition", createErrorFromCode(6)],
  ] as const
) {
  Deno.test(`a fetch from a broker that ${name} brings nothing, and others are asked who leads`, async () => {
    let isAway = true;
    const { group, told, refreshes } = makeGroup(
      makeBroker(() => isAway ? Promise.reject(error) : Promise.resolve(NOTHING)),
    );
    assert.deepEqual(await group.fetch("1"), []);
    assert.equal(refreshes(), 1);
    isAway = false;
    for (let fetches = 0; fetches < 2; fetches++) await group.fetch("1");
    assert.deepEqual(told.map(({ isBack }) => isBack), [false, true, false]);
  });
}

Deno.test("a partition that was added makes a member join once, and not each of its fetches", async () => {
  const { group } = makeGroup(makeBroker(() => Promise.resolve(NOTHING)));
  group.partitionsPerSubscribedTopic = new Map([["events", [0]]]);
  await assert.rejects(group.fetch("1"), { type: "REBALANCE_IN_PROGRESS" });
});
