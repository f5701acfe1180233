import assert from "node:assert/strict";
import { UnavailableError } from "../../../lib/core/failure.ts";
import type { CountsPage } from "../../../lib/io/postgres/queries/counts/counts.ts";
import type { Overview } from "../../../lib/io/postgres/queries/overview.ts";
import { WorkerState } from "../../../lib/observers/worker_state.ts";
import { answering } from "../../support/answering.ts";
import { READY, VIEW } from "../../support/page_stand.ts";
import { ServerEvents } from "../../support/server_events.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { AUDIT, QUIET } from "../../support/watched.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;

const OVERVIEW: Overview = {
  nowMs: NOON_MS + 30_000,
  newestWindowMs: NOON_MS,
  watermarkMs: NOON_MS + 28_000,
  windowMs: MINUTE_MS,
  closedUpToMs: NOON_MS - MINUTE_MS,
  events: 1_000,
  deadLetters: 3,
  partitions: [{
    partition: 0,
    nextOffset: 90,
    maxEventTimeMs: NOON_MS + 28_000,
    committedAtMs: NOON_MS + 29_000,
    caughtUpAtMs: null,
  }],
  workers: 2,
  audit: null,
  quiet: { total: 0, listed: [] },
};

const AWAY = new UnavailableError("away");

Deno.test("bad parameters are answered with 400 and the reason", async () => {
  using open = answering();
  const paths = [
    "/api/aggregates?from=x",
    "/api/totals?from=x&to=x",
    "/api/expected?from=x&to=x",
    "/api/dead-letters?limit=x",
    "/api/dead-letters/reasons?step=x",
    "/live?range=x",
  ];
  for (const path of paths) {
    const response = await open.get(path);
    assert.equal(response.status, 400, path);
    assert.match((await response.json()).error, /must be/);
  }
  assert.equal((await open.get("/api/status?verbose=1")).status, 400);
});

Deno.test("/api/lotteries gives at most 20 names, and says when there are more", async () => {
  const asked: unknown[] = [];
  using open = answering({
    lotteries: (search) => {
      asked.push(search);
      return Promise.resolve(Array.from({ length: search.limit }, (_, at) => `<b>${at}`));
    },
  });
  const { truncated, lotteries } = await (await open.get("/api/lotteries?search=%3Cb%3E")).json();
  assert.deepEqual([truncated, lotteries.length, lotteries[0]], [true, 20, "<b>0"]);
  assert.deepEqual(asked, [{ text: "<b>", limit: 21 }]);
});

Deno.test("/api/expected gives events, how many were expected, and by how many weeks", async () => {
  const asked: unknown[] = [];
  using open = answering({
    expected: (query) => {
      asked.push(query);
      const row = { lotteryName: "<b>", eventType: "pay", events: 2, expected: 57, weeks: 3 };
      return Promise.resolve({ isClosed: true, isTruncated: false, rows: [row] });
    },
  });
  const response = await open.get(
    "/api/expected?from=2026-01-31T12:00Z&to=2026-01-31T12:15Z&lottery=%3Cb%3E&event_type=pay&zone=Europe/Berlin",
  );
  assert.deepEqual(await response.json(), {
    from: "2026-01-31T12:00:00.000Z",
    to: "2026-01-31T12:15:00.000Z",
    closed: true,
    truncated: false,
    expected: [{
      lottery_name: "<b>",
      event_type: "pay",
      event_count: 2,
      expected_count: 57,
      weeks: 3,
    }],
  });
  assert.deepEqual(asked, [{
    fromMs: Date.UTC(2026, 0, 31, 12),
    toMs: Date.UTC(2026, 0, 31, 12, 15),
    zone: "Europe/Berlin",
    lotteryNames: ["<b>"],
    eventTypes: ["pay"],
  }]);
});

Deno.test("the API says that PostgreSQL does not answer", async () => {
  const away = () => Promise.reject(new Error("secret"));
  using open = answering({
    counts: away,
    totals: away,
    expected: away,
    letters: away,
    reasons: away,
    lotteries: away,
    overview: away,
  });
  const paths = [
    "/api/aggregates",
    "/api/aggregates?format=csv",
    "/api/totals?from=2026-01-01T00:00Z&to=2026-01-02T00:00Z",
    "/api/expected?from=2026-01-01T00:00Z&to=2026-01-02T00:00Z",
    "/api/dead-letters",
    "/api/dead-letters/reasons",
    "/api/lotteries",
  ];
  for (const path of paths) {
    const response = await open.get(path);
    assert.equal(response.status, 503);
    assert.match((await response.json()).error, /PostgreSQL does not answer/);
  }
  const { postgresql, all_workers } = await (await open.get("/api/status")).json();
  assert.deepEqual([postgresql.state, postgresql.read_at, all_workers], ["down", null, null]);
});

Deno.test("the API runs at most 8 queries at a time", async () => {
  const answer = Promise.withResolvers<CountsPage>();
  let asked = 0;
  using open = answering({
    counts: () => {
      asked++;
      return answer.promise;
    },
  });
  const waiting = Array.from({ length: 8 }, () => open.get("/api/aggregates"));
  assert.equal((await open.get("/api/aggregates")).status, 503);
  assert.equal(asked, 8);
  answer.resolve({ rows: [], next: null, keptFromMs: null });
  for (const response of await Promise.all(waiting)) assert.equal(response.status, 200);
  assert.equal((await open.get("/api/aggregates")).status, 200);
});

Deno.test("/api/dead-letters has values as text, as far as they are, and as bytes", async () => {
  const letter = {
    topic: "user-events",
    partition: 3,
    offset: 1042,
    reason: "not_utf8",
    receivedMs: NOON_MS,
    recordTimestampMs: null,
    replayedMs: null,
    key: null,
    value: { length: 5_000, head: new Uint8Array([0x61, 0xff, 0x62]) },
  };
  const asked: unknown[] = [];
  using open = answering({
    letters: (limits) => {
      asked.push(limits);
      return Promise.resolve([letter]);
    },
  });
  assert.deepEqual(await (await open.get("/api/dead-letters?limit=5")).json(), {
    dead_letters: [{
      topic: "user-events",
      partition: 3,
      offset: 1042,
      reason: "not_utf8",
      received_at: "2026-01-01T12:00:00.000Z",
      record_timestamp: null,
      replayed_at: null,
      key: null,
      value: { bytes: 5_000, truncated: true, text: "a\ufffdb", base64: "Yf9i" },
    }],
  });
  assert.deepEqual(asked, [{ limit: 5, headBytes: 1_024 }]);
});

Deno.test("/api/status reports all workers as the database has them, and this one as it knows itself", async () => {
  const worker = new WorkerState();
  worker.answered("source");
  worker.answered("commit");
  worker.assigned([0]);
  worker.committed(
    commitOf([[0, 0, 5]], { lateEvents: 2, batchTimestampsMs: [Date.now() - 80] }),
  );
  worker.ranges(
    new Map([[0, { startOffset: 0, endOffset: 100 }], [1, { startOffset: 40, endOffset: 45 }]]),
  );
  using open = answering({ state: worker, overview: () => Promise.resolve(OVERVIEW) });
  const status = await (await open.get("/api/status")).json();
  assert.deepEqual([status.source.state, status.postgresql.state], ["up", "up"]);
  const { partitions, ...all } = status.all_workers;
  assert.deepEqual(all, {
    workers: 2,
    events: 1_000,
    events_per_second: null,
    dead_letters: 3,
    lag_records: 15, // ten of partition 0, and of partition 1 what retention has left
    watermark: "2026-01-01T12:00:28.000Z",
    watermark_delay_seconds: 2,
    window_seconds: 60,
    closed_up_to: "2026-01-01T11:59:00.000Z",
    current_window: "2026-01-01T12:00:00.000Z",
    uncounted_partitions: [],
    problems: [],
  });
  assert.deepEqual(partitions, [{
    partition: 0,
    stored_offset: 90,
    committed_at: "2026-01-01T12:00:29.000Z",
    watermark: "2026-01-01T12:00:28.000Z",
    end_offset: 100,
  }]);
  const { partitions: own, late_events, latency_ms } = status.this_worker;
  assert.deepEqual([own, late_events], [[0], 2]);
  assert.ok(latency_ms.p50 > 70 && latency_ms.p99 < 60_000);
});

Deno.test("lag and ends are unknown while the source is down, until it is queried again", async () => {
  const worker = new WorkerState();
  const ranges = new Map([[0, { startOffset: 0, endOffset: 90 }]]);
  using open = answering({ state: worker, overview: () => Promise.resolve(OVERVIEW) });
  const known = async () => {
    const { all_workers } = await (await open.get("/api/status")).json();
    return [all_workers.lag_records, all_workers.partitions[0].end_offset];
  };
  assert.deepEqual(await known(), [null, null]);
  worker.ranges(ranges);
  assert.deepEqual(await known(), [0, 90]);
  for (const system of ["source", "group"] as const) {
    worker.failed(system, AWAY);
    assert.deepEqual(await known(), [null, null], system);
    worker.answered(system);
    assert.deepEqual(await known(), [null, null], "what it said before is outdated");
    worker.ranges(ranges);
    assert.deepEqual(await known(), [0, 90]);
  }
  worker.failed("commit", AWAY);
  assert.deepEqual(await known(), [0, 90]);
});

Deno.test("/api/status has the partitions that no worker counts, and who holds them", async () => {
  using open = answering({ overview: () => Promise.resolve(OVERVIEW) });
  const gap = {
    partition: 3,
    reason: "another_program",
    leaderProblem: null,
    sinceMs: NOON_MS,
  } as const;
  const holder = { clientId: "console-consumer", host: "10.0.0.7" };
  open.state.uncounted([{ ...gap, holder }], ["partition 3 is not counted"]);
  const { all_workers } = await (await open.get("/api/status")).json();
  assert.deepEqual(all_workers.uncounted_partitions, [{
    partition: 3,
    reason: "another_program",
    client_id: "console-consumer",
    host: "10.0.0.7",
    since: "2026-01-01T12:00:00.000Z",
  }]);
  assert.deepEqual(all_workers.problems, ["partition 3 is not counted"]);
});

Deno.test("/api/status has the last audit, and says when it is older than two rounds", async () => {
  const at = (atMs: number) => ({ ...OVERVIEW, audit: { ...AUDIT, atMs } });
  let overview: Overview = OVERVIEW;
  using open = answering({ overview: () => Promise.resolve(overview) });
  const audit = async () => (await (await open.get("/api/status")).json()).audit;
  assert.equal(await audit(), null);
  const oldestMs = OVERVIEW.nowMs - 30 * MINUTE_MS - 2_500;
  overview = at(oldestMs);
  assert.deepEqual(await audit(), {
    at: "2026-01-01T11:30:27.500Z",
    from: "2026-01-01T09:00:00.000Z",
    to: "2026-01-01T11:55:00.000Z",
    records: 321_835,
    rows: 1_064,
    wrong: 0,
    not_provable: 0,
    seconds: 2.5,
    verdict: "agrees",
    first_wrong: [],
    is_overdue: false,
  });
  overview = at(oldestMs - 1);
  assert.equal((await audit()).is_overdue, true);
});

Deno.test("/api/status has the lotteries that are quiet, and whether the books balance", async () => {
  let overview: Overview | null = null;
  using open = answering({ overview: () => Promise.resolve(overview) });
  const read = async () => {
    const status = await (await open.get("/api/status")).json();
    return [status.quiet, status.quiet_lotteries, status.books_difference];
  };
  assert.deepEqual(await read(), [[], null, null]);
  overview = OVERVIEW;
  open.state.booksDifference = 0;
  assert.deepEqual(await read(), [[], 0, 0]);
  overview = { ...OVERVIEW, quiet: { total: 101, listed: [QUIET] } };
  open.state.booksDifference = -3;
  const quiet = {
    lottery_name: "mega_draw",
    event_type: "pay",
    quiet_since: "2026-01-01T11:20:00.000Z",
    events: 2,
    expected: 1_140,
    weeks: 4,
  };
  assert.deepEqual(await read(), [[quiet], 101, -3]);
});

Deno.test("/api/status has no end below the stored offset, and a rate from the second read on", async () => {
  const worker = new WorkerState();
  worker.ranges(new Map([[0, { startOffset: 0, endOffset: 80 }]]));
  using open = answering({ state: worker, overview: () => Promise.resolve(OVERVIEW) });
  open.board.saw({ ...OVERVIEW, events: 900 });
  await new Promise((resolve) => setTimeout(resolve, 2));
  const { all_workers: all } = await (await open.get("/api/status")).json();
  assert.deepEqual([all.partitions[0].stored_offset, all.partitions[0].end_offset], [90, 90]);
  assert.equal(all.lag_records, 0);
  assert.ok(all.events_per_second > 0);
});

Deno.test("the source is down while either the log or the group is", async () => {
  const worker = new WorkerState();
  using open = answering({ state: worker });
  const state = async () => (await (await open.get("/api/status")).json()).source.state;
  assert.equal(await state(), "unknown");
  worker.answered("source");
  assert.equal(await state(), "up");
  worker.failed("group", AWAY);
  assert.equal(await state(), "down");
  worker.answered("group");
  assert.equal(await state(), "up");
});

Deno.test("GET /live sends the counts with the names and times of the API", async () => {
  const closed = {
    startMs: NOON_MS - MINUTE_MS,
    events: [[4, 0, 0]],
    eventsBefore: [[3, 0, 0]],
    eventsWeekAgo: null,
  };
  const { bars: [bar], totals, lotteryNames } = VIEW;
  const view = () => Promise.resolve({ ...VIEW, bars: [bar!], closed });
  using open = answering({ ...READY, view });
  await using events = new ServerEvents(await open.get("/live"));
  assert.deepEqual(await events.next("counts"), {
    from: "2026-01-01T11:46:00.000Z",
    to: "2026-01-01T12:01:00.000Z",
    step: "1m",
    step_seconds: 60,
    window_seconds: 60,
    zone: "UTC",
    kept_from: null,
    is_live: true,
    event_types: ["clicked", "pay"],
    lottery_names: lotteryNames,
    other_lotteries: 0,
    bars: [{
      start: "2026-01-01T11:46:00.000Z",
      end: "2026-01-01T11:47:00.000Z",
      events: [1_000, 100, 0],
      week_ago: null,
    }],
    totals,
    totals_week_ago: null,
    current: { window_start: "2026-01-01T12:00:00.000Z", events: VIEW.current.events },
    closed: {
      window_start: "2026-01-01T11:59:00.000Z",
      events: [[4, 0, 0]],
      events_before: [[3, 0, 0]],
      events_week_ago: null,
    },
  });
});
