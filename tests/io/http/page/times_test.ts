/** Times, spans and axes of the page, in the time zone of whoever runs the tests. */

import fc from "fast-check";
import assert from "node:assert/strict";
import type { ViewJson } from "../../../../lib/io/http/api.ts";
import { timeLabels } from "../../../../lib/io/http/page/chart/time_axis.js";
import { closer, wholeBars, wider } from "../../../../lib/io/http/page/chart/zoom.js";
import { spanText, stepText, timeText, toLocalInput } from "../../../../lib/io/http/page/times.js";

const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;
/** By the clock of the time zone. */
const at = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(...parts as [number, number, number]).getTime();
const labels = (from: number, to: number, most: number) =>
  timeLabels(from / 1000, to / 1000, most).map(({ text }) => text);

Deno.test("a span has its day once, no times if it has whole days, and another year", () => {
  const nowMs = at(2026, 5, 15, 12);
  const text = (from: number, to: number, hasWeekday = false) =>
    spanText(from, to, { nowMs, hasWeekday });
  assert.equal(text(at(2026, 0, 5, 9), at(2026, 0, 5, 10)), "Jan 5, 09:00 – 10:00");
  assert.equal(text(at(2026, 0, 5, 23), at(2026, 0, 6, 1)), "Jan 5, 23:00 – Jan 6, 01:00");
  assert.equal(text(at(2026, 0, 5, 23), at(2026, 0, 6)), "Jan 5, 23:00 – 00:00");
  assert.equal(text(at(2026, 0, 5), at(2026, 0, 6)), "Jan 5");
  assert.equal(text(at(2026, 0, 5), at(2026, 0, 12), true), "Mon, Jan 5 – Sun, Jan 11");
  assert.equal(text(at(2025, 11, 31), at(2026, 0, 2)), "Dec 31, 2025 – Jan 1, 2026");
  assert.equal(
    text(at(2026, 0, 5, 9, 0, 30), at(2026, 0, 5, 9, 2)),
    "Jan 5, 09:00:30 – 09:02",
  );
  assert.equal(timeText(at(2020, 0, 5)), "Jan 5, 2020");
  assert.equal(timeText(at(2020, 0, 5, 9, 30)), "Jan 5, 2020, 09:30");
});

Deno.test("the length of a bar is in the largest unit that it is a multiple of", () => {
  assert.deepEqual([1, 60, 90, 300, 3_600, 21_600, DAY_SECONDS, 7 * DAY_SECONDS].map(stepText), [
    ...["second", "minute", "90 seconds", "5 minutes", "hour", "6 hours", "day", "week"],
  ]);
});

Deno.test("the axis has round times, dates at midnight, days of the week, and months", () => {
  assert.deepEqual(labels(at(2026, 0, 5, 9, 1), at(2026, 0, 5, 9, 16), 4), [
    ...["09:05", "09:10", "09:15"],
  ]);
  assert.deepEqual(labels(at(2026, 0, 5, 9), at(2026, 0, 6, 9), 5), [
    "12:00",
    "18:00",
    "Jan 6",
    "06:00",
  ]);
  assert.deepEqual(labels(at(2026, 0, 5), at(2026, 0, 12), 8), [
    ...["Mon 5", "Tue 6", "Wed 7", "Thu 8", "Fri 9", "Sat 10", "Sun 11", "Mon 12"],
  ]);
  assert.deepEqual(labels(at(2026, 0, 1), at(2026, 1, 1), 6), [
    ...["Jan 5", "Jan 12", "Jan 19", "Jan 26"], // Mondays
  ]);
  assert.deepEqual(labels(at(2025, 6, 20), at(2026, 6, 20), 7), [
    ...["Sep", "Nov", "2026", "Mar", "May", "Jul"],
  ]);
});

Deno.test("labels are in order, inside of the range, and no more than there is room for", () => {
  const from = fc.integer({ min: 0, max: 2e9 });
  const length = fc.integer({ min: 60, max: 10 * 365 * DAY_SECONDS });
  fc.assert(fc.property(from, length, fc.integer({ min: 2, max: 20 }), (from, length, most) => {
    const seconds = timeLabels(from, from + length, most).map(({ seconds }) => seconds);
    assert.ok(seconds.length <= most + 2, `${seconds.length} of ${most}`);
    assert.ok(seconds.every((each) => each >= from && each <= from + length));
    assert.ok(seconds.every((each, place) => place === 0 || each > seconds[place - 1]!));
  }));
});

Deno.test("an input has the local time, to the minute", () => {
  assert.equal(toLocalInput(at(2026, 0, 5, 9, 7, 30)), "2026-01-05T09:07");
});

/** An hour by the minute. */
const view = {
  from: "2026-01-05T09:00:00.000Z",
  to: "2026-01-05T10:00:00.000Z",
  is_live: false,
  bars: Array.from({ length: 60 }, (_, minute) => ({
    start: new Date(Date.UTC(2026, 0, 5, 9, minute)).toISOString(),
    end: new Date(Date.UTC(2026, 0, 5, 9, minute + 1)).toISOString(),
  })),
} as unknown as ViewJson;

const minute = (at: number) => Date.UTC(2026, 0, 5, 9) + at * MINUTE_MS;
const span = (from: number, to: number) => ({ fromMs: minute(from), toMs: minute(to) });

Deno.test("a zoom shows whole bars, at least five windows of them", () => {
  assert.deepEqual(wholeBars(view, span(3.2, 9.1), MINUTE_MS), span(3, 10));
  assert.deepEqual(wholeBars(view, span(3.2, 3.4), MINUTE_MS), span(1, 6));
  assert.deepEqual(wholeBars(view, span(3, 4), 10_000), span(3, 4));
  assert.deepEqual(closer(view, null, MINUTE_MS), span(30, 60));
  assert.deepEqual(closer(view, 0, MINUTE_MS), span(0, 30));
  assert.deepEqual(closer(view, 30, MINUTE_MS), span(15, 46));
});

Deno.test("a wider range has twice the length, and what is live stays so far", () => {
  assert.deepEqual(wider(view), span(-30, 90));
  assert.deepEqual(wider({ ...view, is_live: true }), span(-60, 60));
});
