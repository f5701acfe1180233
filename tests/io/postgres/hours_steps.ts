/**
 * What may happen to a database with hours, at random; and what is read of it.
 * @module
 */

import fc from "fast-check";
import type { Counted } from "../../support/hour_model.ts";

const MINUTE_MS = 60_000;

/** A Friday evening; clocks change in Berlin on Sunday, and in Lord Howe, by half an hour, a week later. */
export const START_MS = Date.UTC(2025, 2, 28, 22);

/** Close together, or some days apart. */
const minute = fc.oneof(fc.nat(150), fc.nat(12 * 24 * 60));

const counted: fc.Arbitrary<Counted> = fc.record({
  windowStartMs: minute.map((each) => START_MS + each * MINUTE_MS),
  lotteryName: fc.constantFrom("keno", "mega_draw"),
  eventType: fc.constantFrom("pay", "win"),
  count: fc.integer({ min: 1, max: 9 }),
});

/** Deletes a step of what is older than so many days by this clock. */
const expiry = { days: fc.nat(2), maxRows: fc.integer({ min: 1, max: 6 }), clock: minute };

const commit = named("commit", {
  partitions: fc.constantFrom([0], [1], [0, 1]),
  counts: fc.uniqueArray(counted, {
    maxLength: 8,
    selector: ({ windowStartMs, lotteryName, eventType }) =>
      JSON.stringify([windowStartMs, lotteryName, eventType]),
  }),
  letters: fc.nat(2),
  fate: fc.constantFrom("stored", "stored", "stored", "fenced", "cut before it", "answer lost"),
});
const replay = named("replay", { at: fc.nat(), counted });
const expireWindows = named("expire windows", expiry);

/** What may happen in a version without hours. */
export const oldStep = fc.oneof(
  { weight: 5, arbitrary: commit },
  { weight: 1, arbitrary: replay },
  { weight: 1, arbitrary: expireWindows },
);

export const step = fc.oneof(
  { weight: 8, arbitrary: commit },
  { weight: 2, arbitrary: replay },
  { weight: 3, arbitrary: expireWindows },
  { weight: 2, arbitrary: named("expire hours", expiry) },
  { weight: 4, arbitrary: named("fill", { maxRows: fc.nat(5) }) },
  { weight: 1, arbitrary: named("rebuild", { isDamaged: fc.boolean() }) },
  { weight: 1, arbitrary: named("reset", {}) },
);

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
export type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;

function named<K extends string, T>(kind: K, fields: { [F in keyof T]: fc.Arbitrary<T[F]> }) {
  return fc.record({ kind: fc.constant(kind), ...fields }) as fc.Arbitrary<T & { kind: K }>;
}

/** A range, and how it is cut into buckets. */
export const probe = fc.record({
  startMs: fc.tuple(minute, fc.constantFrom(0, 1, 30_000))
    .map(([minutes, ms]) => START_MS + minutes * MINUTE_MS + ms),
  steps: fc.integer({ min: 1, max: 12 }),
  stepMs: fc.constantFrom(1, 5, 7, 60, 90, 1_440, 2 * 1_440, 7 * 1_440)
    .map((minutes) => minutes * MINUTE_MS),
  zone: fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/St_Johns",
    "Australia/Lord_Howe",
  ),
});
export type Probe = typeof probe extends fc.Arbitrary<infer T> ? T : never;
