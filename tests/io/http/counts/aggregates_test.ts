import assert from "node:assert/strict";
import type { CountRow, CountsQuery } from "../../../../lib/io/postgres/queries/counts/query.ts";
import type { CountsPage } from "../../../../lib/io/postgres/queries/counts/counts.ts";
import { answering } from "../../../support/answering.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;
const RANGE = "from=2026-01-01T12:00Z&to=2026-01-01T12:05Z";

const ROW: CountRow = {
  startMs: NOON_MS,
  endMs: NOON_MS + MINUTE_MS,
  lotteryName: "<img src=x>",
  eventType: "pay",
  count: 7,
  isClosed: true,
};

/** Pages of one row each, a minute apart, and the queries that asked for them. */
function pagesOf(names: readonly string[]) {
  const asked: CountsQuery[] = [];
  const counts = (query: CountsQuery): Promise<CountsPage> => {
    asked.push(query);
    const at = query.after === null ? 0 : (query.after.startMs - NOON_MS) / MINUTE_MS + 1;
    const row = { ...ROW, startMs: NOON_MS + at * MINUTE_MS, lotteryName: names[at]! };
    const next = at + 1 < names.length ? row : null;
    return Promise.resolve({ rows: [row], next, keptFromMs: null });
  };
  return { asked, counts };
}

Deno.test("/api/aggregates gives rows as the table has them", async () => {
  const page = { rows: [ROW], next: null, keptFromMs: NOON_MS - 3 * MINUTE_MS };
  using open = answering({ counts: () => Promise.resolve(page) });
  const response = await open.get(`/api/aggregates?${RANGE}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), {
    from: "2026-01-01T12:00:00.000Z",
    to: "2026-01-01T12:05:00.000Z",
    step: "1m",
    kept_from: "2026-01-01T11:57:00.000Z",
    next: null,
    aggregates: [{
      window_start: "2026-01-01T12:00:00.000Z",
      window_end: "2026-01-01T12:01:00.000Z",
      lottery_name: "<img src=x>",
      event_type: "pay",
      event_count: 7,
      closed: true,
    }],
  });
});

Deno.test("/api/aggregates gives the next page for what it calls next", async () => {
  const { asked, counts } = pagesOf(["a", "b", "c"]);
  using open = answering({ counts });
  const names: string[] = [];
  let path = `/api/aggregates?${RANGE}&step=5m&lottery=a`;
  for (let next: string | null = ""; next !== null;) {
    const answer: { next: string | null; step: string; aggregates: { lottery_name: string }[] } =
      await (await open.get(path)).json();
    assert.equal(answer.step, "5m");
    names.push(...answer.aggregates.map((row) => row.lottery_name));
    next = answer.next;
    path = `/api/aggregates?${RANGE}&step=5m&lottery=a&cursor=${next}`;
  }
  assert.deepEqual(names, ["a", "b", "c"]);
  assert.deepEqual(
    new Set(asked.map((query) => JSON.stringify({ ...query, after: null }))).size,
    1,
  );
});

const CSV_NAMES = ["plain", 'quoted "x"', "comma, too", "two\r\nlines", "=1+2", "é"];

Deno.test("/api/aggregates as CSV has all pages in one file", async () => {
  const { counts } = pagesOf(CSV_NAMES);
  using open = answering({ counts });
  const response = await open.get(`/api/aggregates?${RANGE}&format=csv`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8; header=present");
  assert.equal(
    response.headers.get("content-disposition"),
    'attachment; filename="lottery_counts_1m_20260101T120000Z_20260101T120500Z.csv"',
  );
  const time = (at: number) => `2026-01-01T12:0${at}:00.000Z`;
  const names = ["plain", '"quoted ""x"""', '"comma, too"', '"two\r\nlines"', "=1+2", "é"];
  assert.deepEqual(
    await response.text(),
    "window_start,window_end,lottery_name,event_type,event_count,closed\r\n" +
      names.map((name, at) => `${time(at)},${time(1)},${name},pay,7,true\r\n`).join(""),
  );
});

Deno.test("/api/aggregates without rows is a CSV with a heading", async () => {
  using open = answering();
  const response = await open.get("/api/aggregates?format=csv");
  assert.equal(
    await response.text(),
    "window_start,window_end,lottery_name,event_type,event_count,closed\r\n",
  );
});

const PREFERENCES: readonly (readonly [accept: string, query: string, isCsv: boolean])[] = [
  ["text/csv", "", true],
  ["text/csv, */*;q=0.1", "", true],
  ["Text/CSV; header=present", "", true],
  ["application/json, text/csv;q=0.5", "", false],
  ["text/csv;q=0", "", false],
  ["text/html,application/xhtml+xml,*/*;q=0.8", "", false],
  ["*/*", "", false],
  ["text/csv", "&format=json", false],
  ["application/json", "&format=csv", true],
];

for (const [accept, format, isCsv] of PREFERENCES) {
  Deno.test(`accept: ${accept}${format} is ${isCsv ? "CSV" : "JSON"}`, async () => {
    using open = answering();
    const url = `http://localhost/api/aggregates?${RANGE}${format}`;
    const response = await open.handle(new Request(url, { headers: { accept } }));
    assert.equal(response.headers.get("content-type")!.startsWith("text/csv"), isCsv);
    await response.body!.cancel();
  });
}

Deno.test("a client that stops reading stops the querying", async () => {
  const { asked, counts } = pagesOf(Array(100).fill("a"));
  using open = answering({ counts });
  const response = await open.get(`/api/aggregates?${RANGE}&format=csv`);
  const reader = response.body!.getReader();
  assert.equal(asked.length, 1, "the first page, before the headers");
  await reader.read();
  await reader.read();
  assert.equal(asked.length, 2, "no page before it is read");
  await reader.cancel();
  assert.deepEqual(await reader.read(), { done: true, value: undefined });
  assert.equal(asked.length, 2);
});

Deno.test("a page that cannot be read cuts the download off", async () => {
  const { counts } = pagesOf(["a", "b", "c"]);
  let pages = 0;
  using open = answering({
    counts: (query) => ++pages < 3 ? counts(query) : Promise.reject(new Error("away")),
  });
  const response = await open.get(`/api/aggregates?${RANGE}&format=csv`);
  assert.equal(response.status, 200);
  await assert.rejects(response.text(), /away/);
});

Deno.test("at most 4 downloads run at a time, and each makes room when it ends", async () => {
  const { counts } = pagesOf(["a", "b"]);
  using open = answering({ counts });
  const start = () => open.get(`/api/aggregates?${RANGE}&format=csv`);
  const running = [await start(), await start(), await start(), await start()];
  assert.equal((await start()).status, 503);
  await running[0]!.body!.cancel();
  await running[1]!.text();
  for (const response of [await start(), await start()]) assert.equal(response.status, 200);
  assert.equal((await start()).status, 503);
});

Deno.test("a download that cannot begin takes no room", async () => {
  using open = answering({ counts: () => Promise.reject(new Error("away")) });
  for (let at = 0; at < 9; at++) {
    const response = await open.get(`/api/aggregates?${RANGE}&format=csv`);
    assert.match((await response.json()).error, /PostgreSQL does not answer/);
  }
});

Deno.test("downloads end when the server does", async () => {
  const { counts } = pagesOf(["a", "b", "c"]);
  const open = answering({ counts });
  const response = await open.get(`/api/aggregates?${RANGE}&format=csv`);
  open[Symbol.dispose]();
  await assert.rejects(response.text(), /shutting down/);
});

Deno.test("HEAD of a CSV reads nothing", async () => {
  const { asked, counts } = pagesOf(["a"]);
  using open = answering({ counts });
  const url = `http://localhost/api/aggregates?${RANGE}&format=csv`;
  const response = await open.handle(new Request(url, { method: "HEAD" }));
  assert.deepEqual([response.status, response.body, asked.length], [200, null, 0]);
  assert.match(response.headers.get("content-disposition")!, /^attachment/);
});

Deno.test("a zone that PostgreSQL does not know is refused as any other", async () => {
  const error = Object.assign(new Error("time zone not recognized"), {
    severity: "ERROR",
    code: "22023",
  });
  using open = answering({ counts: () => Promise.reject(error) });
  const response = await open.get("/api/aggregates?zone=Europe/Berlin");
  assert.equal(response.status, 400);
  assert.match((await response.json()).error, /such as Europe\/Berlin/);
});

Deno.test("/api/totals gives a table of any range", async () => {
  const asked: unknown[] = [];
  using open = answering({
    totals: (query) => {
      asked.push(query);
      return Promise.resolve({
        eventTypes: ["pay"],
        lotteryNames: ["a"],
        otherLotteries: 2,
        totals: [[5, 0], [3, 0]],
        totalsWeekAgo: null,
        isClosed: true,
        isWhole: false,
      });
    },
  });
  const response = await open.get(`/api/totals?${RANGE}&lottery=a&zone=Europe/Berlin`);
  assert.deepEqual(await response.json(), {
    from: "2026-01-01T12:00:00.000Z",
    to: "2026-01-01T12:05:00.000Z",
    event_types: ["pay"],
    lottery_names: ["a"],
    other_lotteries: 2,
    totals: [[5, 0], [3, 0]],
    totals_week_ago: null,
    closed: true,
    complete: false,
  });
  assert.deepEqual(asked, [{
    fromMs: NOON_MS,
    toMs: NOON_MS + 5 * MINUTE_MS,
    zone: "Europe/Berlin",
    lotteryNames: ["a"],
  }]);
});

Deno.test("/api/dead-letters/reasons gives the reasons of each bar", async () => {
  const reasons = {
    bars: [
      { startMs: NOON_MS, endMs: NOON_MS + MINUTE_MS, reasons: new Map([["not_json", 2]]) },
      { startMs: NOON_MS + MINUTE_MS, endMs: NOON_MS + 2 * MINUTE_MS, reasons: new Map() },
    ],
    totals: [{ reason: "not_json", records: 2, replayed: 1 }],
  };
  using open = answering({ reasons: () => Promise.resolve(reasons) });
  const path = "/api/dead-letters/reasons?from=2026-01-01T12:00:30Z&to=2026-01-01T12:01:30Z";
  assert.deepEqual(await (await open.get(path)).json(), {
    from: "2026-01-01T12:00:00.000Z",
    to: "2026-01-01T12:02:00.000Z",
    step: "1m",
    bars: [
      {
        start: "2026-01-01T12:00:00.000Z",
        end: "2026-01-01T12:01:00.000Z",
        reasons: { not_json: 2 },
      },
      { start: "2026-01-01T12:01:00.000Z", end: "2026-01-01T12:02:00.000Z", reasons: {} },
    ],
    totals: [{ reason: "not_json", records: 2, replayed: 1 }],
  });
});
