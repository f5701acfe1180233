/** Requests that are malformed, or not for this server. */

import assert from "node:assert/strict";
import { listen } from "../../../../lib/io/http/server/listen.ts";
import { answering } from "../../../support/answering.ts";
import { answerTo } from "../../../support/raw_client.ts";

const get = (target: string, host = "localhost") =>
  `GET ${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`;

const MALFORMED_HOSTS = [
  "",
  "a@localhost",
  "localhost:port",
  "localhost:99999",
  "localhost:80:80",
  "localhost/healthz",
  "localhost?",
  "local host",
  "localhost, localhost",
  "[::1",
  "[::1]evil",
  "%6c",
  "<script>",
  "löcalhost",
];

Deno.test("a malformed Host is answered with 400 and the reason in JSON", async () => {
  using open = answering({ isLoopback: false });
  await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
  for (const host of MALFORMED_HOSTS) {
    const answer = await answerTo(server.url, get("/healthz", host));
    assert.match(answer, /^HTTP\/1.1 400 [^]*\r\n\r\n{"error":"[^"]+"}\n$/, host);
  }
  const twice = "GET /healthz HTTP/1.1\nHost: localhost\nHost: evil.example\n\n";
  assert.match(await answerTo(server.url, twice), /^HTTP\/1.1 400 /);
  for (const host of ["localhost:0", "worker_1.example:8000", "[::1]:8000", "10.0.0.1"]) {
    assert.match(await answerTo(server.url, get("/healthz", host)), /^HTTP\/1.1 200 /, host);
  }
});

const REQUESTS: readonly (readonly [name: string, request: string, answer: RegExp])[] = [
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\n", /^HTTP\/1.1 400 [^]*\r\n\r\n$/],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", /^HTTP\/1.1 400 [^]*\r\n\r\n$/],
  ["HTTP/1.1 without Host", "GET / HTTP/1.1\n\n", /^HTTP\/1.1 400 [^]*\r\n\r\n$/],
  [
    "headers without end",
    `GET / HTTP/1.1\nHost: localhost\n${"x: y\n".repeat(10_000)}`,
    /^HTTP\/1.1 431 [^]*\r\n\r\n$/,
  ],
  [
    "a header that is too long",
    `GET / HTTP/1.1\nX: ${"x".repeat(100_000)}`,
    /^HTTP\/1.1 431 [^]*\r\n\r\n$/,
  ],
  [
    "CONNECT",
    "CONNECT localhost:80 HTTP/1.1\nHost: localhost:80\n\n",
    /^HTTP\/1.1 405 [^]*\r\n\r\n$/,
  ],
  ["TRACE", "TRACE / HTTP/1.1\nHost: localhost\n\n", /^HTTP\/1.1 400 .*"error"/s],
  ["OPTIONS for all", "OPTIONS * HTTP/1.1\nHost: localhost\n\n", /^HTTP\/1.1 400 .*"error"/s],
  ["a port that there is not", get("http://localhost:99999/"), /^HTTP\/1.1 400 .*"error"/s],
  ["a target that is no address", get("nothing"), /^HTTP\/1.1 400 /],
  ["two slashes", get("//evil.example/healthz"), /^HTTP\/1.1 404 .*"error"/s],
  [
    "an upgrade",
    "GET /healthz HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: h2c\n\n",
    /^HTTP\/1.1 200 /,
  ],
  ["a body", "GET /healthz HTTP/1.1\nHost: localhost\nContent-Length: 5\n\nab", /^HTTP\/1.1 200 /],
];

for (const [name, request, expected] of REQUESTS) {
  Deno.test(`${name} is answered, and the connection ends`, async () => {
    using open = answering();
    await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
    assert.match(await answerTo(server.url, request), expected);
    assert.match(await answerTo(server.url, get("/healthz")), /^HTTP\/1.1 200 /);
  });
}
