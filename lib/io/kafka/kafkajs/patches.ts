/**
 * Parts of kafkajs 2.2.4 that are replaced before anything loads it: here how records are
 * read and written, in the files beside it connections, brokers and groups.
 * It is pinned to that version, its last; tests compare each part with what it replaces.
 * @module
 */

import "kafkajs/src/consumer/filterAbortedMessages.js";
import "kafkajs/src/consumer/subscriptionState.js";
import "kafkajs/src/producer/groupMessagesPerPartition.js";
import "kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js";
import "kafkajs/src/protocol/recordBatch/record/v0/index.js";
import "kafkajs/src/utils/sleep.js";
import { Buffer } from "node:buffer";
import { encodeRecords } from "../../../core/records/record_encoder.ts";
import { Condition } from "../../../async/condition.ts";
import { decodeRecordBatches, dropAborted } from "./fetch_decoder.ts";
import { replaceExports, require } from "./replace.ts";

replaceExports("kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js", decodeRecordBatches);
replaceExports("kafkajs/src/consumer/filterAbortedMessages.js", dropAborted);

/** What the partitioner of a producer gets. */
interface ToPartition {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly message: unknown;
}

interface MessageGroups extends Omit<ToPartition, "message"> {
  readonly messages: readonly unknown[];
  readonly partitioner: (message: ToPartition) => number;
}

/** The original copies the messages of a partition for each one that is added. */
replaceExports(
  "kafkajs/src/producer/groupMessagesPerPartition.js",
  ({ messages, partitioner, ...place }: MessageGroups) =>
    Object.groupBy(
      place.partitionMetadata.length === 0 ? [] : messages,
      (message) => partitioner({ ...place, message }),
    ),
);

interface MessageToEncode {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
}

const RECORD = "kafkajs/src/protocol/recordBatch/record/v0/index.js";
const encodeWithHeaders: (message: MessageToEncode) => unknown = require(RECORD);

/** The original takes several times as long, for its numbers of 64 bits and a buffer of half a kilobyte per record. */
replaceExports(RECORD, (message: MessageToEncode) => {
  const { key, value, headers = {}, offsetDelta = 0, timestampDelta = 0 } = message;
  if (Object.keys(headers).length > 0) return encodeWithHeaders(message);
  const record = { key: bytesOf(key), value: bytesOf(value) };
  const { buffer, byteOffset, length } = encodeRecords([{ record, offsetDelta, timestampDelta }]);
  const encoded = Buffer.from(buffer, byteOffset, length);
  return { buf: encoded, buffer: encoded };
});

function bytesOf(part: Uint8Array | string | null | undefined): Uint8Array | null {
  return typeof part === "string" ? Buffer.from(part) : part ?? null;
}

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
