/** Downloads of counts over a real connection. */

import assert from "node:assert/strict";
import { listen } from "../../../../lib/io/http/server/listen.ts";
import type { CountRow, CountsQuery } from "../../../../lib/io/postgres/queries/counts/query.ts";
import type { CountsPage } from "../../../../lib/io/postgres/queries/counts/counts.ts";
import { answering } from "../../../support/answering.ts";
import { eventually } from "../../../support/eventually.ts";
import { RawClient } from "../../../support/raw_client.ts";

const ROW: CountRow = {
  startMs: Date.UTC(2026, 0, 1, 12),
  endMs: Date.UTC(2026, 0, 1, 12, 1),
  lotteryName: "mega_draw",
  eventType: "pay",
  count: 7,
  isClosed: true,
};

/** Large pages without an end, and how many were read. */
function endlessPages() {
  const read = { pages: 0 };
  const counts = (_: CountsQuery): Promise<CountsPage> => {
    read.pages++;
    return Promise.resolve({ rows: Array(10_000).fill(ROW), next: ROW, keptFromMs: null });
  };
  return { read, counts };
}

const REQUEST = "GET /api/aggregates?format=csv HTTP/1.1\nHost: localhost\n\n";

Deno.test("a client that stops reading stops the querying, and one that is gone makes room", async () => {
  const { read, counts } = endlessPages();
  using open = answering({ counts });
  await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
  const clients: RawClient[] = [];
  for (let at = 0; at < 4; at++) {
    const client = await RawClient.connect(server.url);
    await client.send(REQUEST);
    clients.push(client);
  }
  // The buffers of the connections are full some time, and nothing is read any more.
  let [before, still] = [0, 0];
  await eventually(() => {
    still = read.pages === before ? still + 1 : 0;
    before = read.pages;
    return before >= 4 && still >= 20;
  });
  assert.equal((await fetch(`${server.url}api/aggregates?format=csv`)).status, 503);
  for (const client of clients) client[Symbol.dispose]();
  const response = await eventually(async () => {
    const answer = await fetch(`${server.url}api/aggregates?format=csv`);
    if (answer.status === 200) return answer;
    await answer.body?.cancel();
    return false;
  });
  await response.body!.cancel();
});

Deno.test("a download that is cut off is no complete answer", async () => {
  const { read, counts } = endlessPages();
  using open = answering({
    counts: (query) => read.pages < 3 ? counts(query) : Promise.reject(new Error("away")),
  });
  await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
  const response = await fetch(`${server.url}api/aggregates?format=csv`);
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
});
