import assert from "node:assert/strict";
import { listen } from "../../../lib/io/http/listen.ts";
import { answering } from "../../support/answering.ts";
import { commitOf } from "../../support/sink_contract.ts";

Deno.test("GET /healthz says that the process lives", async () => {
  using open = answering();
  assert.equal((await open.get("/healthz")).status, 200);
});

Deno.test("GET /readyz is 503 with the reason until the group is joined and the database has answered", async () => {
  using open = answering();
  const { health, get } = open;
  const answer = async () => {
    const response = await get("/readyz");
    return [response.status, (await response.text()).trim()];
  };
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
  health.answered("sink");
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
  health.answered("group");
  assert.deepEqual(await answer(), [200, "ok"]);
  health.failed("sink");
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  health.failed("looks");
  health.answered("looks"); // it may allow a look while it takes no commit
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  health.answered("sink");
  health.failed("looks");
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  health.answered("looks");
  health.failed("source"); // a question about lag that failed: the group is another matter
  assert.deepEqual(await answer(), [200, "ok"]);
  health.failed("group");
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
});

Deno.test("GET /metrics counts what was committed, under the names that dashboards use", async () => {
  using open = answering();
  const { metrics, get } = open;
  const deadLetters = [{
    partition: 0,
    offset: 7,
    reason: "not_json" as const,
    recordTimestampMs: -1,
    key: null,
    value: null,
    headers: [],
  }];
  metrics.committed(
    commitOf([[0, 0, 5]], {
      deadLetters,
      lateEvents: 2,
      batchTimestampsMs: [Date.now() - 150, -1],
    }),
    0.004,
  );
  metrics.fenced();
  metrics.failed("sink");
  metrics.lag(new Map([[3, 42]]));
  metrics.watermark(1_763_800_020_500);

  const response = await get("/metrics");
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n");
  for (
    const line of [
      "lottery_events_total 5",
      'lottery_dead_letters_total{reason="not_json"} 1',
      'lottery_dead_letters_total{reason="tombstone"} 0',
      "lottery_late_events_total 2",
      "lottery_commits_total 1",
      'lottery_commit_seconds_bucket{le="0.005"} 1',
      "lottery_event_latency_seconds_count 1",
      'lottery_consumer_lag{topic="user-events",partition="3"} 42',
      "lottery_fenced_commits_total 1",
      'lottery_retries_total{system="sink"} 1',
      "lottery_watermark_seconds 1763800020.5",
    ]
  ) assert.ok(lines.includes(line), `${line} is missing`);

  metrics.assigned(); // partitions of before may be another worker's now
  assert.doesNotMatch(await (await get("/metrics")).text(), /lottery_consumer_lag{/);
});

Deno.test("other paths and methods are refused", async () => {
  using open = answering();
  const { get, handle } = open;
  assert.equal((await get("/etc/passwd")).status, 404);
  const response = await handle(new Request("http://localhost/metrics", { method: "POST" }));
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "GET, HEAD");
});

Deno.test("listen() serves at the address that it tells", async () => {
  using open = answering();
  await using server = listen(open.handle, { host: "127.0.0.1", port: undefined });
  const response = await fetch(`${server.url}healthz`);
  assert.equal((await response.text()).trim(), "ok");
});

Deno.test("listen() names the setting when the host is not ours", () => {
  using open = answering();
  assert.throws(
    () => listen(open.handle, { host: "192.0.2.1", port: 8000 }),
    /Cannot serve the page on 192.0.2.1:8000: check HTTP_HOST and HTTP_PORT/,
  );
});
