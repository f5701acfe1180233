import assert from "node:assert/strict";
import { countsQuery, deadLettersLimit, lotterySearch } from "../../../lib/io/http/parameters.ts";
import { RequestError } from "../../../lib/io/http/responses.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;

const parameters = (text: string) => new URLSearchParams(text);
const counts = (text: string) => countsQuery(parameters(text), NOW_MS);

Deno.test("countsQuery() is the last quarter of an hour of all lotteries by default", () => {
  const { fromMs, toMs, lotteryName } = counts("");
  assert.deepEqual([fromMs, toMs, lotteryName], [NOW_MS - 15 * MINUTE_MS, NOW_MS, null]);
});

Deno.test("countsQuery() takes times of any zone, and a name", () => {
  const { fromMs, toMs, lotteryName } = counts(
    "from=2026-01-31T11:00Z&to=2026-01-31T13:30:00.5%2B02:00&lottery=%3Cb%3E",
  );
  assert.deepEqual(
    [fromMs, toMs, lotteryName],
    [NOW_MS - 60 * MINUTE_MS, NOW_MS - 30 * MINUTE_MS + 500, "<b>"],
  );
});

const REFUSED: readonly (readonly [name: string, parse: () => unknown, reason: RegExp])[] = [
  ["a time without zone", () => counts("from=2026-01-31T11:00:00"), /from must be a time like/],
  ["a time that is none", () => counts("to=2026-13-01T00:00Z"), /to must be a time like/],
  ["a day that no month has", () => counts("to=2026-02-30T00:00Z"), /to must be a time like/],
  ["a plus that became a space", () => counts("to=2026-01-31T11:00+01:00"), /write \+ as %2B/],
  ["seconds since 1970", () => counts("from=1769860800"), /from must be a time like/],
  ["an end before the start", () => counts("from=2026-01-31T12:00Z"), /from must be before to/],
  ["a range that is too long", () => counts("from=2025-12-31T11:59Z"), /at most 31 days apart/],
  [
    "a name that no lottery can have",
    () => counts("lottery=%00"),
    /lottery must be text of at most 400/,
  ],
  [
    "an unknown parameter",
    () => counts("form=x"),
    /Unknown parameter "form"\. Supported: from, to, lottery\./,
  ],
  ["a parameter twice", () => counts("to=x&to=y"), /only once/],
  ["no limit", () => deadLettersLimit(parameters("limit=0")), /from 1 to 100/],
  ["a limit that is too high", () => deadLettersLimit(parameters("limit=101")), /from 1 to 100/],
  ["a limit that is no number", () => deadLettersLimit(parameters("limit=1e1")), /from 1 to 100/],
  [
    "a part of a name that no lottery can have",
    () => lotterySearch(parameters("search=%00")),
    /search must be/,
  ],
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

Deno.test("deadLettersLimit() is 20 by default", () => {
  assert.equal(deadLettersLimit(parameters("")), 20);
  assert.equal(deadLettersLimit(parameters("limit=100")), 100);
});
