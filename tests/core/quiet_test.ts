import assert from "node:assert/strict";
import { quietAlerts, type QuietChange } from "../../lib/core/quiet.ts";

const SINCE_MS = Date.UTC(2026, 0, 31, 12);

const QUIET: QuietChange = {
  change: "is quiet",
  lotteryName: "keno",
  eventType: "pay",
  sinceMs: SINCE_MS,
  events: 2,
  expected: 57,
  weeks: 3,
};

const alertsOf = (...changes: Partial<QuietChange>[]) =>
  quietAlerts(changes.map((each) => ({ ...QUIET, ...each })), { minutes: 15 })
    .map(({ cause, title, error, sinceMs }) => ({
      cause,
      title,
      lines: error instanceof Error ? error.message.split("\n") : [],
      sinceMs,
    }));

Deno.test("quietAlerts() names the lottery and type, the events and what was expected", () => {
  assert.deepEqual(alertsOf({}), [{
    cause: "lottery_quiet",
    title: "Almost no pay of keno",
    lines: ["pay of keno: 2 of 57 events (by 3 weeks), quiet since 2026-01-31 12:00:00Z"],
    sinceMs: SINCE_MS,
  }]);
  const [{ title, lines }] = alertsOf({ change: "is over", events: 31, weeks: 1 }) as [
    ReturnType<typeof alertsOf>[number],
  ];
  assert.equal(title, "Recovered: pay of keno again");
  assert.match(lines[0]!, /^pay of keno: 31 of 57 events \(by 1 week\)/);
});

Deno.test("quietAlerts() makes one mail of many, with a list that ends", () => {
  const many = Array.from({ length: 40 }, (_, at) => ({
    lotteryName: `lottery ${at}`,
    sinceMs: SINCE_MS - at,
  }));
  const [alert, ...others] = alertsOf(...many, { lotteryName: "lottery 1", eventType: "register" });
  assert.deepEqual(others, []);
  assert.equal(alert!.title, "Almost no pay, register of 40 lotteries");
  assert.deepEqual([alert!.lines.length, alert!.lines.at(-1)], [31, "and 11 more"]);
  assert.equal(alert!.sinceMs, SINCE_MS - 39);
});

Deno.test("quietAlerts() keeps what begins apart from what is over, and from event time", () => {
  const alerts = alertsOf(
    { change: "stands still", lotteryName: "", eventType: "", events: 0, expected: 12_345 },
    {},
    { change: "is over", lotteryName: "other" },
    { change: "moves again", lotteryName: "", eventType: "" },
  );
  assert.deepEqual(alerts.map(({ cause, title }) => `${cause}: ${title}`), [
    "event_time_stands_still: No events arrive",
    "lottery_quiet: Almost no pay of keno",
    "lottery_quiet: Recovered: pay of other again",
    "event_time_stands_still: Recovered: events arrive again",
  ]);
  assert.deepEqual(alerts[0]!.lines, [
    "none is newer than 2026-01-31 12:00:00Z; 12,345 were expected within 15 minutes since then (by 3 weeks)",
  ]);
});

Deno.test("quietAlerts() shows names that could do harm as what they are", () => {
  const [alert] = alertsOf({ lotteryName: "a\nSubject: b", eventType: "\u202epay" });
  assert.equal(alert!.lines.length, 1);
  assert.doesNotMatch(alert!.title, /[\n\u202e]/);
});
