/**
 * Connections of kafkajs: what a broker does not answer ends with its connection, within
 * seconds, and why a connection was refused is told.
 *
 * kafkajs waits half a minute for each answer, one request after the other, and keeps the
 * connection: a broker that is frozen, which takes connections and answers nothing, holds
 * everything up for ever.
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import "kafkajs/src/errors.js";
import "kafkajs/src/network/connection.js";
import "kafkajs/src/network/requestQueue/index.js";
import "kafkajs/src/protocol/requests/apiKeys.js";
import { withTimeout } from "../../../async/delay.ts";
import { certificateProblem } from "../../../core/tls/certificate.ts";
import { require } from "./replace.ts";
import { ResponseFrames } from "./response_frames.ts";

const { KafkaJSConnectionError, KafkaJSConnectionClosedError } = require("kafkajs/src/errors.js");
const apiKeys = require("kafkajs/src/protocol/requests/apiKeys.js");

/** What is used of kafkajs's request queue. */
interface RequestQueue {
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  readonly inflight: ReadonlyMap<number, Request>;
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  requestTimeoutIntervalId: unknown;
  throttleCheckTimeoutId: unknown;
  isConnected(): boolean;
  destroy(): void;
  checkPendingRequests(): void;
  rejectAll(error: Error): void;
  waitForPendingRequests(): Promise<void>;
  fulfillRequest(response: {
    readonly size: number;
    readonly correlationId: number;
    readonly payload: Buffer;
  }): void;
  /** Looks in a row at which a request waited and not a byte had come. */
  silentLooks: number;
  /** Bytes that have come since it was connected. */
  receivedBytes: number;
  /** Ends the connection that this is the queue of. */
  giveUp: (silentMs: number) => void;
}

/** A request that waits for its answer. */
interface Request {
  readonly requestTimeout: number;
  readonly entry: { readonly apiKey: number; readonly apiName: string };
}

const MIN_CHECK_MS = 10;
const SILENCE_CHECK_MS = 1_000;
/** Longest silence of a broker that has not said a word since it was connected to. */
const FIRST_ANSWER_MS = 5_000;
/** Longest silence of one that has. Brokers take one another for dead after 9 s, too. */
const PROMPT_MS = 10_000;

/** Requests that are answered soon: a fetch waits for half a second, a commit of offsets for 5 at most. */
const PROMPT_REQUESTS: ReadonlySet<number> = new Set(
  [
    "ApiVersions",
    "DescribeConfigs",
    "DescribeGroups",
    "Fetch",
    "GroupCoordinator",
    "Heartbeat",
    "LeaveGroup",
    "ListOffsets",
    "Metadata",
    "OffsetCommit",
    "SaslAuthenticate",
    "SaslHandshake",
  ].map((name) => apiKeys[name]),
);

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

/**
 * The original looks ten times a second at the age of each request: a large answer over a slow
 * line is given up although it is coming in. Silence is what counts, and it is counted in looks:
 * a process that was frozen has heard nothing meanwhile, and is no reason to give up.
 */
function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const checkMs = Math.min(this.requestTimeout, SILENCE_CHECK_MS);
  this.silentLooks = 0;
  this.requestTimeoutIntervalId = setInterval(() => {
    if (!this.isConnected()) return this.destroy();
    this.silentLooks = this.inflight.size === 0 ? 0 : this.silentLooks + 1;
    const silentMs = (this.silentLooks - 1) * checkMs; // sent up to a look before the first
    if (this.inflight.size > 0 && silentMs >= patienceMs(this)) this.giveUp(silentMs);
  }, checkMs);
}

/** A broker answers the requests of one connection in their order, so the slowest of them decides. */
function patienceMs({ inflight, receivedBytes }: RequestQueue): number {
  const promptMs = receivedBytes === 0 ? FIRST_ANSWER_MS : PROMPT_MS;
  let longestMs = 0;
  for (const { entry, requestTimeout } of inflight.values()) {
    longestMs = Math.max(longestMs, PROMPT_REQUESTS.has(entry.apiKey) ? promptMs : requestTimeout);
  }
  return longestMs;
}

const { prototype: requestQueue } = require("kafkajs/src/network/requestQueue/index.js");
Object.assign(requestQueue, { scheduleCheckPendingRequests, scheduleRequestTimeoutCheck });

/** What is used of one of kafkajs's connections. */
interface Connection {
  readonly host: string;
  readonly port: number;
  readonly requestQueue: RequestQueue;
  readonly authHandlers: { onSuccess(response: Buffer): void; onError(): void } | null;
  readonly authExpectResponse: boolean;
  readonly socket?: Socket;
  authenticatedAt: unknown;
  connectionStatus: string;
  isConnected(): boolean;
  disconnect(): Promise<true>;
  rejectRequests(error: Error): void;
  connecting?: Promise<unknown> | null;
  disconnecting?: Promise<true> | null;
  refusedBy?: Error | null;
  frames: ResponseFrames;
}

/** How long the last answers may hold up who disconnects. */
const LAST_ANSWERS_MS = 1_000;

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

/** The original opens two sockets for two who connect at the same time, and forgets one of them. */
connection.connect = async function (this: Connection): Promise<unknown> {
  return await (this.connecting ??= connectOnce(this).finally(() => this.connecting = null));
};

async function connectOnce(connection: Connection): Promise<unknown> {
  if (connection.isConnected()) return true;
  const { refusedBy } = connection;
  connection.refusedBy = null;
  if (refusedBy) throw refusedBy;
  connection.frames = new ResponseFrames();
  connection.requestQueue.receivedBytes = 0;
  connection.requestQueue.giveUp = (silentMs) => giveUp(connection, silentMs);
  return await connect.call(connection);
}

function giveUp(connection: Connection, silentMs: number): void {
  const { host, port, requestQueue: { inflight } } = connection;
  const [request] = [...inflight.values()];
  const what = `No answer to ${request?.entry.apiName} within ${silentMs / 1000} s`;
  close(connection); // before anybody asks it again
  connection.rejectRequests(new KafkaJSConnectionError(what, { broker: `${host}:${port}` }));
}

/**
 * The original waits until each request is answered, and then for the other side to close:
 * for ever, if that is frozen.
 */
connection.disconnect = async function (this: Connection): Promise<true> {
  return await (this.disconnecting ??= disconnect(this).finally(() => this.disconnecting = null));
};

async function disconnect(connection: Connection): Promise<true> {
  const { host, port, requestQueue } = connection;
  connection.authenticatedAt = null;
  connection.connectionStatus = "disconnecting";
  await withTimeout(LAST_ANSWERS_MS, requestQueue.waitForPendingRequests());
  close(connection);
  requestQueue.rejectAll(new KafkaJSConnectionClosedError("Closed connection", { host, port }));
  return true;
}

function close(connection: Connection): void {
  connection.requestQueue.destroy();
  connection.socket?.destroy();
  connection.connectionStatus = "disconnected";
}

/** A response begins with the number of its request, in as many bytes. */
const CORRELATION_BYTES = 4;

/** See `response_frames.ts`. The original lets what no broker would send end the process. */
connection.processData = function (this: Connection, data: Buffer): void {
  try {
    takeData.call(this, data);
  } catch (error) {
    this.authHandlers?.onError();
    this.socket?.destroy(error as Error);
  }
};

function takeData(this: Connection, data: Buffer): void {
  this.requestQueue.silentLooks = 0;
  this.requestQueue.receivedBytes += data.length;
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
