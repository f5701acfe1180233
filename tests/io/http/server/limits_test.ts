/** Limits for clients: connections, time and memory. */

import assert from "node:assert/strict";
import { withTimeout } from "../../../../lib/async/delay.ts";
import { respond, text } from "../../../../lib/io/http/responses.ts";
import { Acceptor, type ClientLimits } from "../../../../lib/io/http/server/acceptor.ts";
import { CLIENT_LIMITS, listen, type WebServer } from "../../../../lib/io/http/server/listen.ts";
import { eventually, MAX_WAIT_MS } from "../../../support/eventually.ts";
import { RawClient } from "../../../support/raw_client.ts";

const HALF_SENT = "GET / HTTP/1.1\nHost: localhost\nX-Header: ";
const REQUEST = "GET / HTTP/1.1\nHost: localhost\n\n";

type Handler = (request: Request) => Promise<Response>;

const ok: Handler = () => Promise.resolve(text("ok"));
const never: Handler = () => new Promise(() => {});

function server(limits?: Partial<ClientLimits>, handler: Handler = ok): WebServer {
  return listen(handler, { host: "127.0.0.1", port: 0, ...limits && { limits } });
}

/** An answer without an end. */
function endless(onEnd = () => {}): Response {
  const pull = (controller: ReadableStreamDefaultController) =>
    controller.enqueue(new Uint8Array(100_000));
  return respond(new ReadableStream({ pull, cancel: onEnd }), {});
}

async function connect({ url }: WebServer, request: string): Promise<RawClient> {
  const client = await RawClient.connect(url);
  await client.send(request);
  return client;
}

Deno.test("a client that does not send its request in time is disconnected", async () => {
  await using open = server({ requestMs: 100 });
  for (const request of ["", "G", HALF_SENT]) {
    using client = await connect(open, request);
    assert.equal(await client.readToEnd(), "", JSON.stringify(request));
  }
});

Deno.test("a request that arrives in drops gets no more time than one that does not arrive", async () => {
  await using open = server({ requestMs: 200 });
  using client = await connect(open, HALF_SENT);
  const ended = client.readToEnd();
  const drops = setInterval(() => void client.send("x").catch(() => {}), 20);
  assert.equal(await ended, "");
  clearInterval(drops);
});

Deno.test("the time limit of requests does not apply to answers", async () => {
  const answering = Promise.withResolvers<void>();
  await using open = server({ requestMs: 1_000 }, async () => {
    await answering.promise;
    return text("at last");
  });
  using client = await connect(open, REQUEST);
  using waiting = await connect(open, "");
  assert.equal(await waiting.readToEnd(), "");
  answering.resolve();
  assert.match(await client.readToEnd(), /^HTTP\/1.1 200 OK\r\n[^]*\r\nat last\n$/);
});

Deno.test("in a flood of half-sent requests, the oldest are disconnected and others are answered", async () => {
  await using open = server({ connections: 20 });
  const flood: RawClient[] = [];
  for (let n = 0; n < 200; n++) flood.push(await connect(open, HALF_SENT));
  for (const client of flood.slice(0, 180)) assert.equal(await client.readToEnd(), "");
  using client = await connect(open, REQUEST);
  assert.match(await client.read(), /^HTTP\/1.1 200 OK/);
  for (const client of flood) client[Symbol.dispose]();
});

Deno.test("a request has 10 s to arrive", async () => {
  await using open = server();
  const startedAt = performance.now();
  using client = await connect(open, HALF_SENT);
  await withTimeout(20_000, client.readToEnd());
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.ok(seconds >= 9 && seconds < 20, `${seconds} s`);
});

Deno.test("of more than 1,000 silent connections, the oldest are disconnected", async () => {
  await using open = server({ requestMs: MAX_WAIT_MS }); // however long it takes to connect
  const flood: RawClient[] = [];
  const disconnected = new Set<number>();
  for (let n = 0; n < 1_100; n++) {
    const client = await connect(open, HALF_SENT);
    flood.push(client);
    void client.readToEnd().then(() => disconnected.add(n));
  }
  await eventually(() => disconnected.size >= 100, { timeoutMs: MAX_WAIT_MS / 3 });
  assert.deepEqual(
    [...disconnected].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, n) => n),
  );
  using client = await connect(open, REQUEST);
  assert.match(await client.read(), /^HTTP\/1.1 200 OK/);
  for (const client of flood) client[Symbol.dispose]();
});

Deno.test("clients that are being answered keep their connections, and count towards the limit", async () => {
  let asked = 0;
  const twoAsked = Promise.withResolvers<void>();
  await using open = server({ connections: 2 }, () => {
    if (++asked === 2) twoAsked.resolve();
    return never(new Request(open.url));
  });
  using first = await connect(open, REQUEST);
  using second = await connect(open, REQUEST);
  await twoAsked.promise;
  using third = await connect(open, REQUEST).catch(() => null);
  if (third) assert.equal(await third.readToEnd(), "");
  assert.equal(asked, 2);
  const ends = Promise.all([first.readToEnd(), second.readToEnd()]);
  await open[Symbol.asyncDispose]();
  assert.deepEqual(await ends, ["", ""], "the end of the worker does not wait for them");
});

Deno.test("a client that does not read its answer in time is disconnected, and the answer is cancelled", async () => {
  const ended = Promise.withResolvers<void>();
  await using open = server({ responseMs: 100 }, () => {
    return Promise.resolve(endless(ended.resolve));
  });
  using _client = await connect(open, REQUEST);
  await ended.promise;
});

Deno.test("an answer for a client that has gone is cancelled", async () => {
  const [asked, answering] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = Promise.withResolvers<void>();
  await using open = server({}, async ({ url }) => {
    if (!url.endsWith("/slow")) return text("ok");
    asked.resolve();
    await answering.promise;
    return endless(ended.resolve);
  });
  {
    using _client = await connect(open, REQUEST.replace("/", "/slow"));
    await asked.promise;
  }
  using other = await connect(open, REQUEST);
  assert.match(await other.readToEnd(), /ok/);
  answering.resolve();
  await ended.promise;
});

Deno.test("when unread answers fill the memory, the clients with the most unread bytes are disconnected", async () => {
  const MEGABYTE = 1 << 20;
  const large = "x".repeat(16 * MEGABYTE); // more than the system's own buffers hold
  await using open = server(
    { unreadBytes: 64 * MEGABYTE },
    ({ url }) => Promise.resolve(text(url.endsWith("/large") ? large : "ok")),
  );
  const clients: RawClient[] = [];
  for (let n = 0; n < 12; n++) {
    clients.push(await connect(open, REQUEST.replace("/", "/large")));
    using other = await connect(open, REQUEST);
    assert.match(await other.readToEnd(), /ok/);
  }
  const answers = await Promise.all(clients.map((client) => client.readToEnd()));
  const whole = answers.filter((each) => each.length > large.length);
  assert.ok(whole.length >= 3 && whole.length <= 4, `${whole.length} were answered`);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("a connection serves one request; pipelined requests end it", async () => {
  await using open = server({}, never);
  using client = await connect(open, REQUEST.repeat(1_000));
  assert.equal(await client.readToEnd(), "");
});

Deno.test("a connection that breaks without a listener does no harm", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const acceptor = new Acceptor(listener, {
    limits: CLIENT_LIMITS,
    onConnection: (connection) => connection.destroy(new Error("reset by the other side")),
  });
  for (let n = 0; n < 2; n++) {
    using client = await RawClient.connect(`http://127.0.0.1:${listener.addr.port}/`);
    assert.equal(await client.readToEnd(), "");
  }
  await acceptor.close(0);
});

Deno.test("clients that disconnect at any moment do no harm", async () => {
  await using open = server({ requestMs: 20 }, () => Promise.resolve(endless()));
  const requests = [
    "CONNECT localhost:80 HTTP/1.1\nHost: localhost\n\n",
    "\x00\n\n",
    "GET / HTTP/1.1\nHost: local host\n\n",
    "GET / HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: h2c\n\n",
    `POST / HTTP/1.1\nHost: localhost\nContent-Length: 100000\n\n${"x".repeat(5_000)}`,
    REQUEST,
    HALF_SENT,
  ];
  for (let round = 0; round < 50; round++) {
    await Promise.all(requests.map(async (request) => {
      const client = await connect(open, request.repeat(round % 5));
      if (round % 2 === 0) await client.read();
      client[Symbol.dispose]();
    }));
  }
  await eventually(async () => { // 20 ms may be over before a busy machine has read a request
    using client = await connect(open, REQUEST);
    return /^HTTP\/1.1 200 OK/.test(await client.read());
  });
});
