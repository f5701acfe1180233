import assert from "node:assert/strict";
import { cursorText } from "../../../../lib/io/http/counts/cursor.ts";
import {
  countsRequest,
  expectedQuery,
  reasonsQuery,
  totalsQuery,
} from "../../../../lib/io/http/counts/parameters.ts";
import { RequestError } from "../../../../lib/io/http/responses.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const parameters = (text: string) => new URLSearchParams(text);
const request = (text: string, windowMs = MINUTE_MS) =>
  countsRequest(parameters(text), { nowMs: NOW_MS, windowMs });
const counts = (text: string, windowMs = MINUTE_MS) => request(text, windowMs).query;
const totals = (text: string) => totalsQuery(parameters(text));
const reasons = (text: string) => reasonsQuery(parameters(text), NOW_MS);

Deno.test("countsRequest() is the windows of the last quarter of an hour, of all, by default", () => {
  assert.deepEqual(request(""), {
    query: {
      fromMs: NOW_MS - 15 * MINUTE_MS,
      toMs: NOW_MS,
      stepSeconds: 60,
      zone: "UTC",
      lotteryNames: [],
      eventTypes: [],
      after: null,
      limit: 10_000,
    },
    format: null,
  });
});

Deno.test("countsRequest() takes times of any zone, any range, and names", () => {
  const { fromMs, toMs, lotteryNames, eventTypes } = counts(
    "from=1971-01-31T11:00Z&to=2026-01-31T13:30:00.5%2B02:00" +
      "&lottery=%3Cb%3E&lottery=a&lottery=a&lottery=&event_type=pay",
  );
  assert.equal(fromMs, Date.UTC(1971, 0, 31, 11));
  assert.equal(toMs, NOW_MS - 30 * MINUTE_MS + 500);
  assert.deepEqual([lotteryNames, eventTypes], [["<b>", "a"], ["pay"]]);
});

Deno.test("countsRequest() takes any step that is no shorter than a window", () => {
  const step = (text: string, windowMs?: number) => counts(text, windowMs).stepSeconds;
  assert.equal(step("step=5m"), 300);
  assert.equal(step("step=7d"), 7 * 86_400);
  assert.equal(step("step=1m"), 60);
  assert.equal(step("", 90_000), 90);
  assert.equal(step("step=90s", 90_000), 90);
  assert.equal(step("step=5m", 90_000), 300);
});

Deno.test("countsRequest() takes zones by their names, however they are written", () => {
  for (const zone of ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]) {
    assert.equal(counts(`zone=${encodeURIComponent(zone)}`).zone, zone);
  }
});

Deno.test("a cursor of the last range that there is continues", () => {
  const to = "9999-12-31T23:59-23:59";
  const { toMs } = counts(`from=9999-12-31T00:00Z&to=${to}`);
  const place = {
    fromMs: NOW_MS,
    toMs,
    after: { startMs: toMs - 1, lotteryName: "", eventType: "" },
  };
  assert.equal(counts(`cursor=${cursorText(place)}`).toMs, toMs);
});

Deno.test("a cursor continues at its place, in the range that it was made for", () => {
  const after = { startMs: NOW_MS - DAY_MS, lotteryName: "é/+", eventType: "pay" };
  const place = { fromMs: NOW_MS - 2 * DAY_MS, toMs: NOW_MS - DAY_MS / 2, after };
  const text = cursorText(place);
  assert.match(text, /^[\w-]+$/, "needs no escaping");
  const query = counts(`cursor=${text}`);
  assert.deepEqual([query.fromMs, query.toMs, query.after], [place.fromMs, place.toMs, after]);
  assert.equal(counts(`cursor=${text}&to=2026-01-31T12:00Z`).toMs, NOW_MS);
});

const foreign = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });

const REFUSED: readonly (readonly [name: string, parse: () => unknown, reason: RegExp])[] = [
  ["a time without zone", () => counts("from=2026-01-31T11:00:00"), /from must be a time like/],
  ["a time that is none", () => counts("to=2026-13-01T00:00Z"), /to must be a time like/],
  ["a day that no month has", () => counts("to=2026-02-30T00:00Z"), /to must be a time like/],
  ["a plus that became a space", () => counts("to=2026-01-31T11:00+01:00"), /write \+ as %2B/],
  ["seconds since 1970", () => counts("from=1769860800"), /from must be a time like/],
  ["an end before the start", () => counts("from=2026-01-31T12:00Z"), /from must be before to/],
  [
    "a name that no lottery can have",
    () => counts("lottery=%00"),
    /lottery must be text of at most 400/,
  ],
  ["a name of no event type", () => counts("event_type=%00"), /event_type must be text/],
  [
    "more lotteries than fit",
    () => counts(Array.from({ length: 21 }, (_, at) => `lottery=${at}`).join("&")),
    /lottery may be given at most 20 times/,
  ],
  [
    "an unknown parameter",
    () => counts("form=x"),
    /Unknown parameter "form"\. Supported: from, to, step, zone, cursor, format, lottery, event_type\./,
  ],
  ["a parameter twice", () => counts("to=x&to=y"), /to may be given only once/],
  ["an unknown step", () => counts("step=2h"), /one of 1m, 5m, 15m, 1h, 6h, 1d, 7d\./],
  ["an unknown step beside long windows", () => counts("step=2h", 7_200_000), /one of 7200s, 6h, /],
  [
    "a step shorter than a window",
    () => counts("step=1m", 90_000),
    /step must be at least 90s, the length of a window/,
  ],
  ["a step that Object has", () => counts("step=toString"), /step must be one of/],
  ["an unknown zone", () => counts("zone=Mars/Olympus"), /such as Europe\/Berlin/],
  ["an offset in place of a zone", () => counts("zone=%2B01:00"), /such as Europe\/Berlin/],
  ["a zone with a quote", () => counts("zone=UTC'"), /such as Europe\/Berlin/],
  ["an unknown format", () => counts("format=xml"), /format must be json or csv/],
  ["a cursor of our own making", () => counts("cursor=17"), /cursor must be the value of next/],
  ["a cursor of other parts", () => counts(`cursor=${foreign([1, 2])}`), /cursor must be/],
  ["a cursor of an object", () => counts(`cursor=${foreign({})}`), /cursor must be/],
  [
    "a cursor beyond all times",
    () => counts(`cursor=${foreign([0, 1, 1e15, "a", "b"])}`),
    /cursor must be/,
  ],
  [
    "a cursor with a name that cannot be stored",
    () => counts(`cursor=${foreign([0, 1, 2, "\0", "b"])}`),
    /cursor must be/,
  ],
  ["totals without an end", () => totals("from=2026-01-01T00:00Z"), /from and to are required/],
  [
    "totals of an empty range",
    () => totals("from=2026-01-01T00:00Z&to=2026-01-01T00:00Z"),
    /from must be before to/,
  ],
  ["reasons of too many bars", () => reasons("step=1m"), /at most 1000 steps apart/],
  ["reasons of several lotteries", () => reasons("lottery=a"), /Unknown parameter "lottery"/],
];

for (const [name, parse, reason] of REFUSED) {
  Deno.test(`${name} is refused with the reason`, () => {
    assert.throws(parse, (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, reason);
      return error.status === 400;
    });
  });
}

Deno.test("totalsQuery() takes a range, a zone and lotteries", () => {
  assert.deepEqual(
    totals("from=2026-01-30T12:00Z&to=2026-01-31T12:00Z&lottery=a&zone=Europe/Berlin"),
    { fromMs: NOW_MS - DAY_MS, toMs: NOW_MS, zone: "Europe/Berlin", lotteryNames: ["a"] },
  );
});

Deno.test("reasonsQuery() is the last day by default, in bars that fit", () => {
  assert.deepEqual(reasons(""), {
    fromMs: NOW_MS - DAY_MS,
    toMs: NOW_MS,
    stepSeconds: 900,
    zone: "UTC",
  });
  assert.equal(reasons("from=2026-01-31T11:45Z").stepSeconds, 60);
  assert.equal(reasons("from=2025-01-31T12:00Z").stepSeconds, 7 * 86_400);
  assert.equal(reasons("from=2025-01-31T12:00Z&step=1d").stepSeconds, 86_400);
});

Deno.test("expectedQuery() takes a range of a day at most", () => {
  const expected = (text: string) => expectedQuery(parameters(text));
  const { fromMs, toMs, zone, lotteryNames, eventTypes } = expected(
    "from=2026-01-31T00:00Z&to=2026-02-01T00:00Z&lottery=a&lottery=b&event_type=pay",
  );
  assert.deepEqual([toMs - fromMs, zone, lotteryNames, eventTypes], [
    DAY_MS,
    "UTC",
    ["a", "b"],
    ["pay"],
  ]);
  const refused = (text: string, reason: RegExp) =>
    assert.throws(() => expected(text), (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, reason);
      return true;
    });
  refused("from=2026-01-31T00:00Z", /from and to are required/);
  refused("from=2026-01-31T00:00Z&to=2026-02-01T00:01Z", /at most a day apart/);
  refused("from=2026-01-31T00:00Z&to=2026-01-31T00:00Z", /from must be before to/);
  refused("from=2026-01-31T00:00Z&to=2026-01-31T01:00Z&step=1m", /Unknown parameter "step"/);
  refused("from=2026-01-31T00:00Z&to=2026-01-31T01:00Z&zone=CEST", /zone must be the IANA name/);
});
