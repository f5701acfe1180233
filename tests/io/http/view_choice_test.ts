import assert from "node:assert/strict";
import { RequestError } from "../../../lib/io/http/responses.ts";
import { viewChoice } from "../../../lib/io/http/view_choice.ts";

const NOON_MS = Date.UTC(2026, 0, 31, 12);
const choice = (text: string) => viewChoice(new URLSearchParams(text));

Deno.test("viewChoice() is the last quarter of an hour of all lotteries by default", () => {
  const all = { range: "15m", lotteryNames: [], zone: "UTC" };
  assert.deepEqual(choice(""), all);
  assert.deepEqual(choice("lottery=&range=24h"), { ...all, range: "24h" });
});

Deno.test("viewChoice() takes times from … to …, in place of a range", () => {
  assert.deepEqual(
    choice("from=2026-01-31T13:00:00%2B01:00&to=2026-01-31T12:00:00.5Z").range,
    { fromMs: NOON_MS, toMs: NOON_MS + 500 },
  );
});

Deno.test("viewChoice() gives the same choice for the same lotteries in any order", () => {
  assert.deepEqual(choice("lottery=b&lottery=a+b&lottery=&lottery=b").lotteryNames, ["a b", "b"]);
});

Deno.test("viewChoice() takes no name that is an abbreviation to PostgreSQL, without summer or elsewhere", () => {
  const zones = { CET: "Europe/Brussels", wet: "Europe/Lisbon", IST: "Asia/Calcutta", utc: "UTC" };
  for (const [name, zone] of Object.entries(zones)) {
    assert.equal(choice(`zone=${name}`).zone, zone);
  }
});

Deno.test("viewChoice() takes the names of time zones, as they are written", () => {
  for (const zone of ["Europe/Berlin", "Asia/Kolkata", "Asia/Calcutta", "Etc/GMT+5", "UTC"]) {
    assert.equal(choice(new URLSearchParams({ zone }).toString()).zone, zone);
  }
});

const lotteries = (length: number) => Array.from({ length }, (_, at) => `lottery=${at}`).join("&");

const REFUSED: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
  ["an unknown range", "range=2h", /one of 15m, 1h, 24h, 7d, 30d, 1y\./],
  ["a property of all objects", "range=toString", /range must be one of/],
  ["a start alone", "from=2026-01-31T11:00Z", /given together/],
  ["an end alone", "to=2026-01-31T11:00Z&range=1h", /given together/],
  ["a range beside times", "range=1h&from=2026-01-30T11:00Z&to=2026-01-31T11:00Z", /either range/],
  ["an end at the start", "from=2026-01-31T11:00Z&to=2026-01-31T11:00Z", /from must be before to/],
  ["more than ten years", "from=2015-01-31T11:00Z&to=2026-01-31T11:00Z", /at most 10 years apart/],
  ["a time without zone", "from=2026-01-31T11:00&to=2026-01-31T12:00Z", /from must be a time like/],
  ["an unknown zone", "zone=Europe/Bonn", /zone must be the IANA name/],
  ["no zone", "zone=", /zone must be the IANA name/],
  ["an offset, which PostgreSQL would read as the opposite", "zone=%2B02:00", /zone must be/],
  ["an unknown parameter", "lotery=x", /Supported: range, from, to, zone, lottery\./],
  ["a parameter twice", "zone=UTC&zone=UTC", /zone may be given only once/],
  ["a name that no lottery can have", "lottery=a&lottery=%00", /lottery must be text of at most/],
  ["more than 20 lotteries", lotteries(21), /At most 20 lotteries/],
];

for (const [name, text, reason] of REFUSED) {
  Deno.test(`a view is refused with the reason: ${name}`, () => {
    assert.throws(() => choice(text), (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, reason);
      return error.status === 400;
    });
  });
}

Deno.test("a view of 20 lotteries is not refused", () => {
  assert.equal(choice(lotteries(20)).lotteryNames.length, 20);
});
