import assert from "node:assert/strict";
import { UnavailableError } from "../../../lib/core/failure.ts";
import { listen } from "../../../lib/io/http/server/listen.ts";
import { VERSION } from "../../../lib/io/version.ts";
import { WorkerState } from "../../../lib/observers/worker_state.ts";
import { answering } from "../../support/answering.ts";
import { commitOf } from "../../support/sink_contract.ts";

const AWAY = new UnavailableError("away");

Deno.test("GET /healthz says that the process is alive", async () => {
  using open = answering();
  assert.equal((await open.get("/healthz")).status, 200);
});

Deno.test("GET /readyz is 503 with the reason until the group is joined and the database has answered", async () => {
  using open = answering();
  const { state, get } = open;
  const answer = async () => {
    const response = await get("/readyz");
    return [response.status, (await response.text()).trim()];
  };
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
  state.answered("commit");
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
  state.answered("group");
  assert.deepEqual(await answer(), [200, "ok"]);
  state.failed("commit", AWAY);
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  state.failed("query", AWAY);
  state.answered("query"); // it may allow a look while it takes no commit
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  state.answered("commit");
  state.failed("query", AWAY);
  assert.deepEqual(await answer(), [503, "PostgreSQL does not answer"]);
  state.answered("query");
  state.failed("source", AWAY); // one question about lag that failed: the group is another matter
  assert.deepEqual(await answer(), [200, "ok"]);
  state.failed("group", AWAY);
  assert.deepEqual(await answer(), [503, "Kafka does not answer"]);
  state.answered("source");
  assert.deepEqual(await answer(), [503, "not joined to the consumer group"]);
});

const GAP = {
  partition: 1,
  reason: "nobody",
  leaderProblem: null,
  holder: null,
  sinceMs: 0,
} as const;

Deno.test("GET /readyz is 503 with the partitions that no worker counts, until they are counted", async () => {
  using open = answering();
  const { state, get } = open;
  state.answered("commit");
  state.answered("group");
  state.uncounted([GAP], ["partition 1 is not counted: …", "partition 2 is not counted: …"]);
  const response = await get("/readyz");
  assert.equal(response.status, 503);
  assert.match(await response.text(), /^partition 1 is not counted: …\npartition 2 is/);
  state.uncounted([], []);
  assert.equal((await get("/readyz")).status, 200);
});

Deno.test("GET /metrics has the lag of every partition: its own by position, others by stored offset", async () => {
  using open = answering();
  const { state, get } = open;
  const lines = async () => (await (await get("/metrics")).text()).split("\n");
  const lag = (partition: number, records: number) =>
    `lottery_consumer_lag{topic="user-events",partition="${partition}"} ${records}`;
  state.assigned([0]);
  state.lag(new Map([[0, 5]]));
  state.lagOfAll(new Map([[0, 90], [1, 70]]));
  state.uncounted([GAP], ["partition 1 is not counted"]);
  for (const line of [lag(0, 5), lag(1, 70), "lottery_uncounted_partitions 1"]) {
    assert.ok((await lines()).includes(line), line);
  }
  state.unavailable(new Map([[0, "no leader"]]));
  assert.ok(!(await lines()).includes(lag(0, 5)), "it is unknown now");
  state.lag(new Map([[0, 6]]));
  state.assigned([1]); // partition 0 is another worker's now
  state.lagOfAll(new Map([[0, 90], [1, 70]]));
  state.uncounted([], []);
  for (const line of [lag(0, 90), "lottery_uncounted_partitions 0"]) {
    assert.ok((await lines()).includes(line), line);
  }
});

Deno.test("GET /metrics counts what was committed, under the names that dashboards use", async () => {
  using open = answering();
  const { metrics, state, get } = open;
  const deadLetters = [{
    partition: 0,
    offset: 7,
    reason: "not_json" as const,
    recordTimestampMs: -1,
    key: null,
    value: null,
    headers: [],
    cut: null,
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
  metrics.failed("commit");
  state.lag(new Map([[3, 42]]));
  state.watermark(1_763_800_020_500);

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
      `lottery_build_info{version="${VERSION}"} 1`,
    ]
  ) assert.ok(lines.includes(line), `${line} is missing`);

  state.assigned([]); // partitions of before may be another worker's now
  assert.doesNotMatch(await (await get("/metrics")).text(), /lottery_consumer_lag{/);
  state.lag(new Map([[3, 0]]));
  state.failed("source", AWAY); // lag is not known any more
  assert.doesNotMatch(await (await get("/metrics")).text(), /lottery_consumer_lag{/);
});

Deno.test("latency is measured by timestamps that are not made up", async () => {
  using open = answering({ state: new WorkerState({ latencySinceMs: Date.now() - 1_000 }) });
  const batchTimestampsMs = [Date.now() - 1_440_000, Date.now() - 150];
  open.metrics.committed(commitOf([[0, 0, 5]], { batchTimestampsMs }), 0.004);
  assert.match(
    await (await open.get("/metrics")).text(),
    /^lottery_event_latency_seconds_count 1$/m,
  );
});

const REFUSED: readonly (readonly [status: number, path: string, init?: RequestInit])[] = [
  [404, "/api/foo"],
  [404, "/api"],
  [404, "/etc/passwd"],
  [404, "//evil.example/api/status"],
  [405, "/api/status", { method: "POST" }],
  [405, "/metrics", { method: "DELETE" }],
  [421, "/api/status", { headers: { host: "evil.example" } }],
  [400, "/api/status?verbose=1"],
  [400, "/live?range=x"],
];

for (const [status, path, init] of REFUSED) {
  Deno.test(`${init?.method ?? "GET"} ${path} is refused with ${status} and the reason in JSON`, async () => {
    using open = answering();
    const response = await open.handle(new Request(`http://localhost${path}`, init));
    assert.equal(response.status, status);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual(Object.keys(await response.json()), ["error"]);
    assert.equal(response.headers.get("allow"), status === 405 ? "GET, HEAD" : null);
  });
}

Deno.test("an internal error is answered with 500 in JSON, without its reason", async () => {
  using open = answering({ status: () => Promise.reject(new Error("secret")) });
  const response = await open.get("/api/status");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), {
    error: "Internal error. See the worker's log.",
  });
});

Deno.test("listen() serves at its URL", async () => {
  using open = answering();
  await using server = listen(open.handle, { host: "127.0.0.1", port: undefined });
  const response = await fetch(`${server.url}healthz`);
  assert.equal((await response.text()).trim(), "ok");
});

Deno.test("listen() names the setting when this machine does not have the host", () => {
  using open = answering();
  assert.throws(
    () => listen(open.handle, { host: "192.0.2.1", port: 8000 }),
    /Cannot serve the page on 192.0.2.1:8000: check HTTP_HOST and HTTP_PORT/,
  );
});
