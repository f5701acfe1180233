/** The address of the page; it needs no browser. */

import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type Choice,
  DEFAULT_CHOICE,
  formatChoice,
  liveAddress,
  parseChoice,
} from "../../../../lib/io/http/page/address.js";

const FROM_MS = Date.UTC(2026, 0, 31, 12);
const SPAN = { fromMs: FROM_MS, toMs: FROM_MS + 90_000 };

Deno.test("the address has the choice, without defaults", () => {
  assert.equal(formatChoice(DEFAULT_CHOICE), "");
  assert.equal(
    formatChoice({ ...DEFAULT_CHOICE, range: "1h", lotteries: ["mega_draw", "a b"] }),
    "?lottery=mega_draw&lottery=a+b&range=1h",
  );
  assert.equal(
    formatChoice({
      range: SPAN,
      lotteries: [],
      off: ["pay", "&"],
      isOthersOff: true,
      barMs: FROM_MS,
      hasLetters: true,
    }),
    "?from=2026-01-31T12:00:00Z&to=2026-01-31T12:01:30Z" +
      "&off=pay&off=%26&others=off&bar=2026-01-31T12:00:00Z&letters=open",
  );
  assert.deepEqual(parseChoice("?lottery="), { choice: DEFAULT_CHOICE, problems: [] });
});

Deno.test("the server is told range, lotteries and zone, and nothing that only the page shows", () => {
  const choice = { ...DEFAULT_CHOICE, off: ["pay"], barMs: FROM_MS, hasLetters: true };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const told = (choice: Choice) => {
    const { pathname, searchParams } = new URL(liveAddress(choice), "http://localhost");
    assert.equal(pathname, "/live");
    assert.equal(searchParams.get("zone") ?? "UTC", zone);
    searchParams.delete("zone");
    return searchParams.toString();
  };
  assert.equal(told(choice), "");
  assert.equal(
    told({ ...choice, range: "1y", lotteries: ["a", "b"] }),
    "lottery=a&lottery=b&range=1y",
  );
});

const TWENTY_ONE = Array.from({ length: 21 }, (_, at) => `lottery=${at}`).join("&");
const TIMES = "from=2026-01-31T12:00:00Z&to=2026-01-31T13:00:00Z";

const WRONG: readonly (readonly [search: string, problem: RegExp])[] = [
  [
    "?range=7y",
    /Unknown range “7y”, showing the last 15 minutes\. Supported: 15m, 1h, 24h, 7d, 30d, 1y\./,
  ],
  ["?range=", /Unknown range “”/],
  ["?range=toString", /Unknown range “toString”/],
  ["?range=%E2%80%AE%3Cb%3E", /Unknown range “\\u\{202e\}<b>”/],
  [`?range=${"x".repeat(1_000)}`, /Unknown range “x{60}…”/],
  ["?rnage=1h", /Unknown parameter “rnage” in the address/],
  ["?range=1h&range=24h", /“range” appears more than once/],
  ["?lottery=a%00b", /Invalid lottery name “a\\u\{0\}b”, ignoring it/],
  [`?lottery=${"x".repeat(401)}`, /Invalid lottery name/],
  [`?off=${"x".repeat(401)}`, /Invalid event type/],
];

for (const [search, problem] of WRONG) {
  Deno.test(`${search.slice(0, 40)} is reported, and has no other effect`, () => {
    const { choice, problems } = parseChoice(search);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
    if (!search.includes("1h&")) assert.deepEqual(choice, DEFAULT_CHOICE);
  });
}

const WRONG_SPANS: readonly (readonly [search: string, problem: RegExp])[] = [
  ["?from=2026-01-31T12:00:00Z", /“from” and “to” belong together, showing the last 15 minutes/],
  ["?to=2026-01-31T12:00:00Z&range=1h", /belong together/],
  [
    "?from=yesterday&to=2026-01-31T12:00:00Z",
    /“yesterday” is not a time like 2026-01-31T12:00:00Z/,
  ],
  ["?from=2026-01-31T12:00:00Z&to=2026-02-31", /“2026-02-31” is not a time/],
  ["?from=2026-01-31T12:00:00&to=2026-01-31T13:00:00Z", /is not a time/],
  ["?from=2026-01-31T13:00:00Z&to=2026-01-31T13:00:00Z", /“from” is not before “to”/],
  ["?bar=noon", /Invalid time “noon” of a bar/],
  ["?letters=shut", /Unknown value “shut” of “letters”\. Supported: open\./],
  ["?others=on", /Unknown value “on” of “others”\. Supported: off\./],
];

for (const [search, problem] of WRONG_SPANS) {
  Deno.test(`${search} is reported, and the last 15 minutes are shown`, () => {
    const { choice, problems } = parseChoice(search);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
    assert.deepEqual(choice, DEFAULT_CHOICE);
  });
}

Deno.test("a range beside times, and more than twenty lotteries, are reported; the rest is taken", () => {
  const span = parseChoice(`?range=1h&${TIMES}`);
  assert.deepEqual(span.choice.range, { fromMs: FROM_MS, toMs: FROM_MS + 3_600_000 });
  assert.deepEqual(span.problems, ["“range” has no effect beside “from” and “to”."]);
  const many = parseChoice(`?${TWENTY_ONE}`);
  assert.equal(many.choice.lotteries.length, 20);
  assert.deepEqual(many.problems, ["More than 20 lotteries, showing the first 20."]);
});

Deno.test("a choice survives the address, whatever the names", () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, unit: "grapheme" }), { maxLength: 20 });
  const time = fc.integer({ min: 1, max: 4e12 });
  const range = fc.oneof(
    fc.constantFrom("15m" as const, "1h" as const, "24h" as const, "7d" as const, "1y" as const),
    fc.tuple(time, fc.integer({ min: 1, max: 1e12 })).map(([fromMs, ms]) => (
      { fromMs, toMs: fromMs + ms }
    )),
  );
  const choice = fc.record({
    range,
    lotteries: names,
    off: names,
    isOthersOff: fc.boolean(),
    barMs: fc.option(time),
    hasLetters: fc.boolean(),
  }, { noNullPrototype: true });
  fc.assert(fc.property(choice, (choice) => {
    assert.deepEqual(parseChoice(formatChoice(choice)), { choice, problems: [] });
  }));
});
