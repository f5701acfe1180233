import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { connect } from "node:net";
import "../../../../lib/io/kafka/kafkajs/kafkajs.ts";

const require = createRequire(import.meta.url);
const apiKeys = require("kafkajs/src/protocol/requests/apiKeys.js");
const Connection = require("kafkajs/src/network/connection.js");
const RequestQueue = require("kafkajs/src/network/requestQueue/index.js");
const { requests } = require("kafkajs/src/protocol/requests/index.js");

const silent = () => {};
const logger = {
  namespace: () => logger,
  ...{ debug: silent, info: silent, warn: silent, error: silent },
};

/** A queue that is looked at every `checkMs`, after the broker has answered once. */
function makeQueue(checkMs: number) {
  const queue = new RequestQueue({
    ...{ maxInFlightRequests: null, requestTimeout: checkMs, enforceRequestTimeout: true },
    ...{ clientId: "test", broker: "test:1", logger, isConnected: () => true },
  });
  queue.receivedBytes = 1;
  const givenUp = Promise.withResolvers<number>();
  queue.giveUp = givenUp.resolve;
  queue.scheduleRequestTimeoutCheck();
  queue.push({
    entry: { correlationId: 1, apiKey: apiKeys.Produce, apiName: "Produce", apiVersion: 0 },
    expectResponse: true,
    sendRequest: silent,
  });
  return { queue, givenUp: givenUp.promise };
}

Deno.test("a connection is given up when an answer does not come in its time", async () => {
  const { queue, givenUp } = makeQueue(20);
  assert.ok(await givenUp >= 20);
  queue.destroy();
});

Deno.test("a request that may take its time has it, also as the first one of its connection", async () => {
  const { queue, givenUp } = makeQueue(20);
  queue.receivedBytes = 0;
  assert.ok(await givenUp < 1_000, "its own time, not that of a first answer");
  queue.destroy();
});

Deno.test("a connection is kept while an answer is coming in, however slowly", async () => {
  const { queue, givenUp } = makeQueue(40);
  const trickle = setInterval(() => queue.silentChecks = 0, 5); // as bytes do
  const outcome = await Promise.race([
    givenUp.then(() => "given up"),
    new Promise((resolve) => setTimeout(resolve, 400, "kept")), // many times as long as its time
  ]);
  assert.equal(outcome, "kept");
  clearInterval(trickle);
  await givenUp;
  queue.destroy();
});

/** A server that takes connections and says nothing; and what a connection to it is made of. */
class Mute implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly accepted: Deno.TcpConn[] = [];
  readonly #accepting = (async () => {
    for await (const each of this.#listener) this.accepted.push(each);
  })();

  connect() {
    return new Connection({
      ...{ host: "127.0.0.1", port: this.#listener.addr.port, logger, clientId: "test" },
      ...{ connectionTimeout: 5_000, requestTimeout: 30_000 },
      socketFactory: ({ host, port, onConnect }: {
        readonly host: string;
        readonly port: number;
        readonly onConnect: () => void;
      }) => connect({ host, port }, onConnect),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const each of this.accepted) each.close();
  }
}

const askVersions = () => requests.ApiVersions.protocol({ version: 0 })();

Deno.test("two who connect at the same time share one socket", async () => {
  await using mute = new Mute();
  const connection = mute.connect();
  await Promise.all([connection.connect(), connection.connect()]);
  await connection.disconnect();
  await connection.connect();
  while (mute.accepted.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(mute.accepted.length, 2, "one for both, and one after");
  await connection.disconnect();
});

Deno.test("a broker that has never answered is given up, and its connection closed", async () => {
  await using mute = new Mute();
  const connection = mute.connect();
  await connection.connect();
  await assert.rejects(connection.send(askVersions()), {
    name: "KafkaJSConnectionError",
    message: "No answer to ApiVersions within 5 s",
  });
  assert.equal(connection.isConnected(), false);
  await mute.accepted[0]!.read(new Uint8Array(100)); // what was asked
  assert.equal(await mute.accepted[0]!.read(new Uint8Array(100)), null, "it is closed");
});

Deno.test("disconnecting does not wait for a broker that answers nothing", async () => {
  await using mute = new Mute();
  const connection = mute.connect();
  await connection.connect();
  const answer = assert.rejects(connection.send(askVersions()), /Closed connection/);
  while (mute.accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await mute.accepted[0]!.read(new Uint8Array(100)); // what was asked
  await connection.disconnect();
  await answer;
});
