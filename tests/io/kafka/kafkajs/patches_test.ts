import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import fc from "fast-check";
import kafkajsPackage from "kafkajs/package.json" with { type: "json" };
import { Encoder } from "../../../../lib/io/kafka/kafkajs/kafkajs.ts";
import { ResponseFrames } from "../../../../lib/io/kafka/kafkajs/response_frames.ts";

const require = createRequire(import.meta.url);
const Connection = require("kafkajs/src/network/connection.js");
const RequestQueue = require("kafkajs/src/network/requestQueue/index.js");

function makeQueue(maxInFlightRequests: number | null = null) {
  return new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: "test",
    broker: "test:1",
    logger: { debug: () => {} },
  });
}

function request(onSend: () => void) {
  return {
    entry: {
      correlationId: Math.random(),
      apiKey: 0,
      apiName: "Test",
      apiVersion: 0,
      resolve: () => {},
      reject: () => {},
    },
    expectResponse: true,
    sendRequest: onSend,
  };
}

Deno.test("the replaced parts belong to the version of kafkajs that is installed", () => {
  assert.equal(kafkajsPackage.version, "2.2.4");
});

Deno.test("an idle request queue sets no timer", () => {
  const queue = makeQueue();
  queue.push(request(() => {}));
  queue.checkPendingRequests();
  assert.equal(queue.throttleCheckTimeoutId, null);
});

Deno.test("a throttled request queue sends what is pending when the throttle is over", async () => {
  const queue = makeQueue();
  const sent = Promise.withResolvers<number>();
  const throttledAt = performance.now();
  queue.maybeThrottle(60);
  queue.push(request(() => sent.resolve(performance.now() - throttledAt)));
  assert.notEqual(queue.throttleCheckTimeoutId, null);
  assert.ok(await sent.promise >= 55);
  assert.equal(queue.throttleCheckTimeoutId, null);
});

Deno.test("a full request queue sends the next request when one is answered", () => {
  const queue = makeQueue(1);
  const [first, second] = [request(() => {}), request(() => sent = true)];
  let sent = false;
  queue.push(first);
  queue.push(second);
  assert.equal(sent, false);
  queue.fulfillRequest({ correlationId: first.entry.correlationId, payload: null, size: 0 });
  assert.equal(sent, true);
  queue.destroy();
});

/** A connection that lost its socket by this error, before it had sent anything. */
function lostBy(error: Error) {
  const lost = { isConnected: () => false, host: "one", port: 9092 };
  Connection.prototype.rejectRequests.call(
    Object.assign(lost, { requestQueue: { rejectAll: () => {} } }),
    error,
  );
  return lost;
}

Deno.test("a connection that was refused says so, once, to who asks next", async () => {
  const refusal = Object.assign(new Error("alert"), {
    code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    retriable: true,
  });
  const connection = lostBy(refusal);
  assert.throws(() => Connection.prototype.failIfNotConnected.call(connection), refusal);
  await assert.rejects(Connection.prototype.connect.call(connection), refusal);
  assert.equal(refusal.retriable, false);
  assert.throws(
    () => Connection.prototype.failIfNotConnected.call(connection),
    /Not connected/,
    "the next connection may be taken",
  );
});

Deno.test("a connection that is lost otherwise is opened anew", () => {
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET", retriable: true });
  const connection = lostBy(reset);
  assert.throws(() => Connection.prototype.failIfNotConnected.call(connection), /Not connected/);
  assert.equal(reset.retriable, true);
});

Deno.test("a fetch loop that sleeps because all is paused wakes when a partition is resumed", async () => {
  const sleep: (ms: number) => Promise<void> = require("kafkajs/src/utils/sleep.js");
  const SubscriptionState = require("kafkajs/src/consumer/subscriptionState.js");
  const state = new SubscriptionState();
  state.assign([{ topic: "events", partitions: [0] }]);
  state.pause([{ topic: "events", partitions: [0] }]);
  const asleep = sleep(2 ** 31 - 1);
  state.resume([{ topic: "events", partitions: [0] }]);
  await asleep;
  assert.equal(state.isPaused("events", 0), false);
  await sleep(1); // and by itself too
});

Deno.test("whatever answers in place of a broker loses its connection, and ends nothing else", () => {
  const lengths = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer());
  const responses = fc.array(fc.tuple(lengths, fc.uint8Array({ maxLength: 20 })));
  fc.assert(fc.property(responses, fc.boolean(), (responses, isLoggingIn) => {
    const problems: Error[] = [];
    let failedLogins = 0;
    const connection = {
      frames: new ResponseFrames(),
      requestQueue: makeQueue(),
      socket: { destroy: (error: Error) => problems.push(error) },
      authHandlers: isLoggingIn ? { onSuccess: () => {}, onError: () => failedLogins++ } : null,
      authExpectResponse: isLoggingIn,
    };
    for (const [length, bytes] of responses) {
      const head = Buffer.alloc(4);
      head.writeInt32BE(length);
      Connection.prototype.processData.call(connection, Buffer.concat([head, bytes]));
      if (problems.length > 0) break;
    }
    assert.equal(failedLogins, isLoggingIn ? problems.length : 0);
  }));
});

/** The module as it is without us. */
function original(path: string) {
  const id = require.resolve(path);
  const replaced = require.cache[id];
  delete require.cache[id];
  try {
    return require(path);
  } finally {
    require.cache[id] = replaced;
  }
}

Deno.test("messages become the same bytes as with the original", () => {
  const path = "kafkajs/src/protocol/recordBatch/record/v0/index.js";
  const part = fc.oneof(
    fc.constant(null),
    fc.string({ maxLength: 100, unit: "binary" }),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
  const message = fc.record({
    key: part,
    value: part,
    headers: fc.oneof(fc.constant({}), fc.constant(undefined), fc.constant({ trace: "1" })),
    offsetDelta: fc.nat(),
    timestampDelta: fc.nat(2 ** 40),
  });
  const bytes = (encode: (message: unknown) => unknown, message: unknown) =>
    Buffer.from(new Encoder().writeEncoderArray([encode(message)]).buffer);
  const [ours, theirs] = [require(path), original(path)];
  assert.notEqual(ours, theirs);
  fc.assert(fc.property(message, (message) => {
    assert.deepEqual(bytes(ours, message), bytes(theirs, message));
  }));
});

Deno.test("messages are shared among the partitions as by the original", () => {
  const path = "kafkajs/src/producer/groupMessagesPerPartition.js";
  const [ours, theirs] = [require(path), original(path)];
  assert.notEqual(ours, theirs);
  fc.assert(fc.property(fc.array(fc.nat()), fc.nat(5), (keys, partitions) => {
    const options = {
      topic: "events",
      partitionMetadata: Array.from({ length: partitions }),
      messages: keys.map((key) => ({ key })),
      partitioner: ({ message: { key } }: { readonly message: { readonly key: number } }) =>
        key % partitions,
    };
    assert.deepEqual({ ...ours(options) }, theirs(options));
  }));
});
