/**
 * Nine parts of kafkajs 2.2.4 that are replaced before anything loads it.
 * It is pinned to that version, which is its last; tests compare each part with what it replaces.
 * @module
 */

import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import "kafkajs/src/cluster/brokerPool.js";
import "kafkajs/src/consumer/filterAbortedMessages.js";
import "kafkajs/src/consumer/subscriptionState.js";
import "kafkajs/src/network/connection.js";
import "kafkajs/src/network/requestQueue/index.js";
import "kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js";
import "kafkajs/src/utils/sleep.js";
import { Condition } from "../../condition.ts";
import { certificateProblem } from "../../core/certificate.ts";
import { decodeRecordBatches, dropAborted } from "./fetch_decoder.ts";
import { ResponseFrames } from "./response_frames.ts";

const require = createRequire(import.meta.url);

function replaceExports(path: string, exports: unknown): void {
  const module = require.cache[require.resolve(path)];
  if (!module) throw new Error(`Cannot replace ${path}: it is not loaded`);
  module.exports = exports;
}

replaceExports("kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js", decodeRecordBatches);
replaceExports("kafkajs/src/consumer/filterAbortedMessages.js", dropAborted);

/** What is used of kafkajs's request queue. */
interface RequestQueue {
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  readonly inflight: ReadonlyMap<number, Request>;
  requestTimeoutIntervalId: unknown;
  isConnected(): boolean;
  destroy(): void;
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  checkPendingRequests(): void;
}

/** A request that waits for its answer. */
interface Request {
  readonly sentAt: number;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

const MIN_CHECK_MS = 10;
const TIMEOUT_CHECK_MS = 1_000;

/**
 * The original sets a timer after every response, with nothing to wait for and a
 * negative delay: 900 wake-ups a second when idle (4 % of a core), and a warning from the runtime.
 */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, Math.max(this.throttledUntil - Date.now(), MIN_CHECK_MS));
}

/** The original looks ten times a second, on each connection, whether 30 seconds are over. */
function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  this.requestTimeoutIntervalId = setInterval(() => {
    for (const request of this.inflight.values()) {
      if (Date.now() - request.sentAt > request.requestTimeout) request.timeoutRequest();
    }
    if (!this.isConnected()) this.destroy();
  }, Math.min(this.requestTimeout, TIMEOUT_CHECK_MS));
}

const { prototype } = require("kafkajs/src/network/requestQueue/index.js");
Object.assign(prototype, { scheduleCheckPendingRequests, scheduleRequestTimeoutCheck });

/** The partitions of one topic that a member has. */
interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const SubscriptionState = require("kafkajs/src/consumer/subscriptionState.js");
const originalAssigned: () => TopicPartitions[] = SubscriptionState.prototype.assigned;
let turn = 0;

/**
 * The original gives partitions in the same order each time. A broker fills its answer in
 * that order, so while the first ones have a backlog the last ones get nothing.
 */
SubscriptionState.prototype.assigned = function (this: unknown): TopicPartitions[] {
  turn++;
  return originalAssigned.call(this).map(({ topic, partitions }) => {
    const first = turn % Math.max(1, partitions.length);
    return { topic, partitions: [...partitions.slice(first), ...partitions.slice(0, first)] };
  });
};

const resumed = new Condition();
const originalResume: (topicPartitions: readonly TopicPartitions[]) => void =
  SubscriptionState.prototype.resume;

/** The original looks every `maxWaitTimeInMs` whether its partitions are still paused: a quarter of a second lost at each assignment. */
replaceExports("kafkajs/src/utils/sleep.js", (timeoutMs: number) => resumed.next({ timeoutMs }));
SubscriptionState.prototype.resume = function (
  this: unknown,
  topicPartitions: readonly TopicPartitions[],
): void {
  originalResume.call(this, topicPartitions);
  resumed.notify();
};

type BrokerQuestion = (given: unknown) => Promise<unknown>;

const BrokerPool = require("kafkajs/src/cluster/brokerPool.js");
const originalWithBroker: (question: BrokerQuestion) => Promise<unknown> =
  BrokerPool.prototype.withBroker;

/**
 * The original asks one broker after the other and forgets why each of them failed:
 * that the group is forbidden would look like a coordinator that is away.
 */
BrokerPool.prototype.withBroker = async function (
  this: unknown,
  question: BrokerQuestion,
): Promise<unknown> {
  let refusal: unknown = null;
  const answer = await originalWithBroker.call(this, async (given) => {
    try {
      return await question(given);
    } catch (error) {
      if (/_AUTHORIZATION_FAILED$/.test((error as { type?: string }).type ?? "")) refusal = error;
      throw error;
    }
  });
  if (answer === null && refusal) throw refusal;
  return answer;
};

/** What is used of one of kafkajs's connections. */
interface Connection {
  isConnected(): boolean;
  refusedBy?: Error | null;
  frames: ResponseFrames;
  readonly authHandlers: { onSuccess(response: Buffer): void; onError(): void } | null;
  readonly socket: { destroy(error: Error): void };
  readonly authExpectResponse: boolean;
  readonly requestQueue: {
    fulfillRequest(
      response: {
        readonly size: number;
        readonly correlationId: number;
        readonly payload: Buffer;
      },
    ): void;
  };
}

const { prototype: connection } = require("kafkajs/src/network/connection.js");
const { connect, failIfNotConnected, rejectRequests } = connection;

/**
 * The original tells why a connection was lost only to requests that are under way, and tries
 * again. With TLS 1.3 a client whose certificate is refused is connected already, and has
 * sent nothing yet: what the server says of it would never be heard.
 */
connection.rejectRequests = function (this: Connection, error: Error): void {
  if (certificateProblem(error)) this.refusedBy = Object.assign(error, { retriable: false });
  rejectRequests.call(this, error);
};
connection.failIfNotConnected = function (this: Connection): void {
  if (this.refusedBy && !this.isConnected()) throw this.refusedBy;
  failIfNotConnected.call(this);
};
connection.connect = async function (this: Connection): Promise<unknown> {
  const { refusedBy } = this;
  this.refusedBy = null;
  if (!this.isConnected()) this.frames = new ResponseFrames();
  if (refusedBy && !this.isConnected()) throw refusedBy;
  return await connect.call(this);
};

/** A response begins with the number of its request, in as many bytes. */
const CORRELATION_BYTES = 4;

/** See `response_frames.ts`. The original lets what no broker would send end the process. */
connection.processData = function (this: Connection, data: Buffer): void {
  try {
    takeData.call(this, data);
  } catch (error) {
    this.authHandlers?.onError();
    this.socket.destroy(error as Error);
  }
};

function takeData(this: Connection, data: Buffer): void {
  if (this.authHandlers && !this.authExpectResponse) {
    return this.authHandlers.onSuccess(Buffer.from(data));
  }
  for (const response of this.frames.take(data)) {
    if (this.authHandlers) {
      const length = Buffer.alloc(4);
      length.writeInt32BE(response.length);
      this.authHandlers.onSuccess(Buffer.concat([length, response]));
      continue;
    }
    if (response.length < CORRELATION_BYTES) {
      throw new RangeError(`a response cannot have ${response.length} bytes`);
    }
    this.requestQueue.fulfillRequest({
      size: response.length,
      correlationId: response.readInt32BE(),
      payload: response.subarray(CORRELATION_BYTES),
    });
  }
}
