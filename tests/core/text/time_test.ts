import fc from "fast-check";
import assert from "node:assert/strict";
import { isoTime, parseIsoTime, utcTime } from "../../../lib/core/text/time.ts";

const NOON = Date.UTC(2026, 0, 31, 12);

for (
  const [text, timeMs] of [
    ["2026-01-31T12:00:00Z", NOON],
    ["2026-01-31T12:00Z", NOON],
    ["2026-01-31 12:00:00Z", NOON], // as our reports write it
    ["2026-01-31T12:00:00.5Z", NOON + 500],
    ["2026-01-31T12:00:00.123Z", NOON + 123],
    ["2026-01-31T13:30:00+01:30", NOON],
    ["2026-01-31T04:00:00-08:00", NOON],
    ["2026-02-01T00:00:00+12:00", NOON],
    ["2024-02-29T00:00Z", Date.UTC(2024, 1, 29)],
    ["1969-12-31T23:59:59.999Z", -1],
  ] as const
) {
  Deno.test(`parseIsoTime() reads ${text}`, () => assert.equal(parseIsoTime(text), timeMs));
}

for (
  const text of [
    "",
    "now",
    "2026-01-31",
    "2026-01-31T12:00:00", // whose clock?
    "2026-01-31(x)",
    "2026-01-31T12:00:00Z ",
    " 2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00Z\n",
    "2026-01-31T12Z",
    "2026-1-31T12:00Z",
    "2026-13-31T12:00Z",
    "2026-00-10T12:00Z",
    "2026-01-00T12:00Z",
    "2026-01-32T12:00Z",
    "2026-02-31T12:00Z", // Date.parse: the third of March
    "2026-04-31T12:00Z",
    "2025-02-29T12:00Z",
    "2026-01-31T24:00Z", // Date.parse: the next day
    "2026-01-31T12:60Z",
    "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00+25:00",
    "2026-01-31T12:00:00+01:60",
    "2026-01-31T12:00:00+0100",
    "2026-01-31T12:00:00 01:00", // a plus that became a space
    "+012026-01-31T12:00:00Z",
    "1769860800000",
    "２０２６-01-31T12:00Z",
  ]
) {
  Deno.test(`parseIsoTime() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseIsoTime(text), null);
  });
}

Deno.test("parseIsoTime() reads what toISOString() writes", () => {
  const time = fc.date({
    min: new Date("0000-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(time, (time) => {
    assert.equal(parseIsoTime(time.toISOString()), time.getTime());
  }));
});

Deno.test("parseIsoTime() takes a day only if the calendar has it", () => {
  const part = fc.integer({ min: 0, max: 40 }).map((number) => String(number).padStart(2, "0"));
  fc.assert(fc.property(fc.integer({ min: 1000, max: 9999 }), part, part, (year, month, day) => {
    const text = `${year}-${month}-${day}T00:00:00Z`;
    const timeMs = parseIsoTime(text);
    if (timeMs !== null) {
      return assert.equal(new Date(timeMs).toISOString(), text.replace("Z", ".000Z"));
    }
    const isReal = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 &&
      Number(day) <= new Date(Date.UTC(year, Number(month), 0)).getUTCDate();
    assert.ok(!isReal, text);
  }));
});

Deno.test("utcTime() is UTC, to the second", () => {
  assert.equal(utcTime(1_672_531_259_999), "2023-01-01 00:00:59Z");
});

Deno.test("isoTime() is UTC, to the millisecond, and null for null", () => {
  assert.equal(isoTime(1_672_531_259_999), "2023-01-01T00:00:59.999Z");
  assert.equal(isoTime(null), null);
});

Deno.test("parseIsoTime() reads what isoTime() and utcTime() write", () => {
  const time = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) });
  fc.assert(fc.property(time, (timeMs) => {
    assert.equal(parseIsoTime(isoTime(timeMs)), timeMs);
    assert.equal(parseIsoTime(utcTime(timeMs)), Math.floor(timeMs / 1000) * 1000);
  }));
});
