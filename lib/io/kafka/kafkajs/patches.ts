/**
 * Parts of kafkajs 2.2.4 that are replaced before anything loads it: here how records are
 * read, in the files beside it connections, brokers and groups.
 * It is pinned to that version, its last; tests compare each part with what it replaces.
 * @module
 */

import "kafkajs/src/consumer/filterAbortedMessages.js";
import "kafkajs/src/consumer/subscriptionState.js";
import "kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js";
import "kafkajs/src/utils/sleep.js";
import { Condition } from "../../../async/condition.ts";
import { decodeRecordBatches, dropAborted } from "./fetch_decoder.ts";
import { replaceExports, require } from "./replace.ts";

replaceExports("kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js", decodeRecordBatches);
replaceExports("kafkajs/src/consumer/filterAbortedMessages.js", dropAborted);

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const SubscriptionState = require("kafkajs/src/consumer/subscriptionState.js");
const originalAssigned: () => TopicPartitions[] = SubscriptionState.prototype.assigned;
let rotation = 0;

/**
 * The original returns the partitions in the same order each time. A broker fills its response
 * in that order, so while the first ones have a backlog the last ones get nothing.
 */
SubscriptionState.prototype.assigned = function (this: unknown): TopicPartitions[] {
  rotation++;
  return originalAssigned.call(this).map(({ topic, partitions }) => {
    const first = rotation % Math.max(1, partitions.length);
    return { topic, partitions: [...partitions.slice(first), ...partitions.slice(0, first)] };
  });
};

const resumed = new Condition();
const originalResume: (topicPartitions: readonly TopicPartitions[]) => void =
  SubscriptionState.prototype.resume;

/**
 * The original polls every `maxWaitTimeInMs` whether its partitions are still paused: a quarter of
 * a second lost at each assignment.
 */
replaceExports("kafkajs/src/utils/sleep.js", (timeoutMs: number) => resumed.next({ timeoutMs }));
SubscriptionState.prototype.resume = function (
  this: unknown,
  topicPartitions: readonly TopicPartitions[],
): void {
  originalResume.call(this, topicPartitions);
  resumed.notify();
};
