/** The page of a real worker, as its operating system lets it be. */

import assert from "node:assert/strict";
import { makeLines } from "../../../support/event_lines.ts";
import { eventually } from "../../../support/eventually.ts";
import { assertBooksBalance, Expectation } from "../../../support/expectation.ts";
import { freePort } from "../../../support/free_port.ts";
import { kcatProduce } from "../../../support/kcat.ts";
import { ServerEvents } from "../../../support/server_events.ts";
import { serverTest } from "../../../support/servers.ts";
import { openStack, recordsRead } from "../../../support/stack.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";
import { Program } from "../../../support/worker_process.ts";

Deno.test("the page needs no files: the worker can read nothing but an empty folder", async () => {
  await using directory = await temporaryDirectory();
  const flags = ["--allow-env", "--allow-net", "--allow-sys=hostname"];
  await using worker = await Program.start(["start"], {
    cwd: directory.path,
    flags: ["--cached-only", ...flags, `--allow-read=${directory.path}`],
    env: { KAFKA_BROKERS: "127.0.0.1:1", DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" },
  });
  const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
  const get = async (path: string) => {
    const response = await fetch(new URL(path, url));
    assert.equal(response.status, 200, path);
    return await response.text();
  };
  const seen = new Set<string>();
  const visit = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await get(path);
    const links = text.matchAll(/(?:(?:src|href)=|^import [^;]*from |^} from )"(\.?\/[^"]+)"/gm);
    for (const [, link] of path.includes("uplot") ? [] : links) {
      const { pathname } = new URL(link!, new URL(path, url));
      if (!pathname.startsWith("/api/") && pathname !== "/metrics") await visit(pathname);
    }
  };
  await visit("/");
  assert.ok(seen.has("/page/uplot.js") && seen.has("/page/format.js"), [...seen].join(" "));
  assert.ok(seen.size > 15, "pages, styles and scripts were found");
  const { postgresql } = JSON.parse(await get("/api/status"));
  assert.equal(postgresql.state, "down");
});

serverTest(
  "200 open pages, half of which read nothing, delay neither the counting nor the shutdown",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { topic, database } = stack;
    const env = { ...stack.env, HTTP_PORT: String(freePort()) };
    await using worker = await Program.start(["start"], { env });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await worker.printed(/Reading 4 partitions/);

    // Half of them read nothing at all.
    const streams = await Promise.all(
      Array.from({ length: 200 }, () => fetch(new URL("live", url))),
    );
    assert.ok(streams.every(({ status }) => status === 200));
    const reading = streams.slice(0, 100).map((response) => new ServerEvents(response));
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(20_000, expected));
    for (const events of reading) {
      while (((await events.next("status")).all_workers?.events ?? 0) < 19_000);
    }
    await eventually(async () => await recordsRead(database) === 20_000);
    await expected.assertStored(database.connection);
    await assertBooksBalance(database.connection);

    worker.signal("SIGTERM");
    assert.equal(await worker.exitCode(), 0, worker.stderr);
    for (const { body } of streams.slice(100)) await body!.cancel();
    await eventually(async () => await reading[0]!.next("status") === null);
    for (const events of reading) await events[Symbol.asyncDispose]();
  },
);
