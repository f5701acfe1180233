import assert from "node:assert/strict";
import { createRequire } from "node:module";
import kafkajsPackage from "kafkajs/package.json" with { type: "json" };
import "../../../lib/io/kafka/kafkajs.ts";

const require = createRequire(import.meta.url);
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
