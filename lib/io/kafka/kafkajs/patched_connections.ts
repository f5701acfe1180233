/**
 * Connections of kafkajs: an unanswered request closes its connection within seconds, and the
 * reason for a refused connection is reported.
 *
 * kafkajs waits half a minute for each response, one request after the other, and keeps the
 * connection: a frozen broker, which accepts connections and answers nothing, would block
 * everything forever.
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
  /** Checks in a row that found a request waiting and no byte received. */
  silentChecks: number;
  /** Bytes received since it was connected. */
  receivedBytes: number;
  giveUp: (silentMs: number) => void;
}

interface Request {
  readonly requestTimeout: number;
  readonly entry: { readonly apiKey: number; readonly apiName: string };
}

const MIN_CHECK_MS = 10;
const SILENCE_CHECK_MS = 1_000;
/** Longest silence of a broker that has not sent a byte since the connection was opened. */
const FIRST_ANSWER_MS = 5_000;
/** Longest silence of one that has. Brokers also declare each other dead after 9 s. */
const PROMPT_MS = 10_000;

/** Requests that are answered soon: a fetch takes half a second, a commit of offsets 5 s at most. */
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
 * The original sets a timer after every response, even with nothing to wait for, and with a
 * negative delay: 900 wake-ups a second when idle (4 % of a core), and a warning of the runtime.
 */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, Math.max(this.throttledUntil - Date.now(), MIN_CHECK_MS));
}

/**
 * The original checks the age of each request ten times a second, and so drops a large response
 * that is still arriving over a slow line. Only silence counts, measured in checks rather than by
 * the clock: if our own process was frozen, that is no reason to give up.
 */
function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const checkMs = Math.min(this.requestTimeout, SILENCE_CHECK_MS);
  this.silentChecks = 0;
  this.requestTimeoutIntervalId = setInterval(() => {
    if (!this.isConnected()) return this.destroy();
    this.silentChecks = this.inflight.size === 0 ? 0 : this.silentChecks + 1;
    const silentMs = (this.silentChecks - 1) * checkMs; // sent at any time before the first check
    if (this.inflight.size > 0 && silentMs >= silenceLimitMs(this)) this.giveUp(silentMs);
  }, checkMs);
}

/** A broker answers the requests of one connection in order, so the slowest of them decides. */
function silenceLimitMs({ inflight, receivedBytes }: RequestQueue): number {
  const promptMs = receivedBytes === 0 ? FIRST_ANSWER_MS : PROMPT_MS;
  let longestMs = 0;
  for (const { entry, requestTimeout } of inflight.values()) {
    longestMs = Math.max(longestMs, PROMPT_REQUESTS.has(entry.apiKey) ? promptMs : requestTimeout);
  }
  return longestMs;
}

const { prototype: requestQueue } = require("kafkajs/src/network/requestQueue/index.js");
Object.assign(requestQueue, { scheduleCheckPendingRequests, scheduleRequestTimeoutCheck });

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

/** How long the last responses may delay a disconnect. */
const LAST_ANSWERS_MS = 1_000;

const { prototype: connection } = require("kafkajs/src/network/connection.js");
const { connect, failIfNotConnected, rejectRequests } = connection;

/**
 * The original reports why a connection was lost only to pending requests, and reconnects. With
 * TLS 1.3 a client whose certificate is refused is connected already, but has sent nothing yet:
 * the server's reason would be lost.
 */
connection.rejectRequests = function (this: Connection, error: Error): void {
  if (certificateProblem(error)) this.refusedBy = Object.assign(error, { retriable: false });
  rejectRequests.call(this, error);
};
connection.failIfNotConnected = function (this: Connection): void {
  if (this.refusedBy && !this.isConnected()) throw this.refusedBy;
  failIfNotConnected.call(this);
};

/** The original opens two sockets for two concurrent calls, and leaks one of them. */
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
  close(connection); // before the next request
  connection.rejectRequests(new KafkaJSConnectionError(what, { broker: `${host}:${port}` }));
}

/**
 * The original waits until each request is answered, and then for the other side to close:
 * forever, if that is frozen.
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

/** Size of the request number that a response begins with. */
const CORRELATION_BYTES = 4;

/** See `response_frames.ts`. In the original, bytes that no broker would send end the process. */
connection.processData = function (this: Connection, data: Buffer): void {
  try {
    takeData.call(this, data);
  } catch (error) {
    this.authHandlers?.onError();
    this.socket?.destroy(error as Error);
  }
};

function takeData(this: Connection, data: Buffer): void {
  this.requestQueue.silentChecks = 0;
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
