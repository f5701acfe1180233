import assert from "node:assert/strict";
import { eventsOfStory } from "../../../lib/commands/produce/events.ts";
import { Story } from "../../../lib/core/simulation/story.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 15, 12);
const OPTIONS = { seed: 1, lotteries: 12, badShare: 1, lateShare: 0, rate: 0.1 };

const open = (historyDays: number) => eventsOfStory({ ...OPTIONS, startMs: START_MS, historyDays });
const isEvent = (value: unknown) =>
  typeof value === "string" && value.startsWith('{"lottery_name":"');

Deno.test("a story has its past at once, and its rhythm before and after the start", () => {
  const events = open(8);
  const firstMs = START_MS - 8 * DAY_MS;
  const story = new Story({ ...OPTIONS, startMs: firstMs });
  for (const days of [0, 1, 7.9, 8, 8.1, 30]) {
    const timeMs = firstMs + days * DAY_MS;
    assert.equal(events.dueAt(timeMs), story.lengthAt(timeMs));
  }
  assert.equal(open(0).dueAt(START_MS), 0);
});

Deno.test("all of the past of a story is good, and what comes then is as bad as asked for", () => {
  const events = open(2);
  const history = events.dueAt(START_MS);
  for (let n = history - 200; n < history; n++) {
    assert.ok(isEvent(events.record(n, START_MS).value), `${n}`);
  }
  const since = Array.from({ length: 200 }, (_, at) => events.record(history + at, START_MS).value);
  assert.ok(since.some((value) => value === "not json"));
});
