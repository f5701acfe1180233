import assert from "node:assert/strict";
import { isForLoopback, isLoopback } from "../../../lib/io/http/server/hosts.ts";
import { listen } from "../../../lib/io/http/server/listen.ts";
import { answering } from "../../support/answering.ts";
import { answerTo } from "../../support/raw_client.ts";

Deno.test("a loopback server answers to names of this machine only, with any port", async () => {
  using open = answering();
  await using server = listen(open.handle, { host: "127.0.0.1", port: undefined });
  const ask = (host: string, target = "/healthz") =>
    answerTo(server.url, `GET ${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`);
  for (const host of ["localhost", "LOCALHOST:8000", "127.0.0.1:1234", "[::1]:8000", "127.9.9.9"]) {
    assert.match(await ask(host), /200/, host);
  }
  for (
    const host of [
      "evil.example",
      "evil.example:8000",
      "localhost.evil.example",
      "0.0.0.0",
      "[::2]",
    ]
  ) {
    assert.match(await ask(host), /421/, host);
    assert.match(await ask(host, "http://localhost/healthz"), /421/, host);
  }
  assert.match(await ask("localhost", "http://evil.example/api/status"), /421/);
  assert.match(await answerTo(server.url, "GET /healthz HTTP/1.0\n\n"), /200/);
});

Deno.test("a server that others can reach answers to any name", async () => {
  using open = answering({ isLoopback: isLoopback("0.0.0.0") });
  const response = await open.handle(new Request("http://worker-1.example:8000/healthz"));
  assert.equal(response.status, 200);
});

Deno.test("isLoopback() knows the addresses of this machine only", () => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "::", "127.0.0.1.example", "10.0.0.1", "localhost.example"]) {
    assert.ok(!isLoopback(host), host);
  }
  assert.ok(isForLoopback(new Request("http://[::1]:8000/")));
  assert.ok(
    !isForLoopback(new Request("http://localhost/", { headers: { host: "evil.example" } })),
  );
});

Deno.test("the page loads nothing from other servers, and may be cached while it is unchanged", async () => {
  using open = answering();
  const page = await open.get("/");
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const html = await page.text();
  assert.doesNotMatch(html, /<style|\s(style|on[a-z]+)=|<script(?![^>]* src=)|https?:/i);
  for (const [, path] of html.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)) {
    const asset = await open.get(path!);
    assert.equal(asset.status, 200, path!);
    assert.equal(asset.headers.get("x-content-type-options"), "nosniff");
    const headers = { "if-none-match": asset.headers.get("etag")! };
    const again = await open.handle(new Request(`http://localhost${path}`, { headers }));
    assert.deepEqual([again.status, await again.text()], [304, ""]);
  }
});

Deno.test("the server is read-only, and HEAD gets headers alone", async () => {
  using open = answering();
  await using server = listen(open.handle, { host: "127.0.0.1", port: undefined });
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const response = await fetch(`${server.url}api/status`, { method });
    await response.body?.cancel();
    assert.equal(response.status, 405, method);
  }
  for (const path of ["", "page/app.js", "api/status", "api/dead-letters", "metrics", "live"]) {
    const response = await fetch(`${server.url}${path}`, { method: "HEAD" });
    assert.equal(response.status, 200, path);
    assert.equal(await response.text(), "");
  }
});
