/**
 * What `produce` sends: events at a steady rate, or a story with its past.
 * @module
 */

import { GeneratedLog } from "../../core/simulation/generated_log.ts";
import {
  type GeneratedRecord,
  Generator,
  type GeneratorOptions,
} from "../../core/simulation/generator.ts";

/** Events by their number, and how many there are by now. */
export interface Events {
  /** How many are to be sent until a time, in milliseconds since the epoch. */
  dueAt(nowMs: number): number;
  record(n: number, nowMs: number): GeneratedRecord;
}

export interface SteadyOptions extends GeneratorOptions {
  /** Events per second; `Infinity`: as many as possible. */
  readonly rate: number;
}

/** The first ones are due at once. */
const FIRST_SECONDS = 0.1;

/** Events of now, at a steady rate, whatever happens to the clock. */
export function steadyEvents({ rate, ...options }: SteadyOptions): Events {
  const generator = new Generator(options);
  const startedAt = performance.now();
  return {
    dueAt: () => Math.ceil(((performance.now() - startedAt) / 1000 + FIRST_SECONDS) * rate),
    record: (n, nowMs) => generator.record(n, nowMs),
  };
}

export interface StoryOptions extends SteadyOptions {
  readonly startMs: number;
  readonly historyDays: number;
}

/**
 * Events of a story that began days before the start, and continues as it was. Bad ones come from
 * the start on only: who counts the days of before at once would be mailed about all of them.
 */
export function eventsOfStory({ startMs, historyDays, ...options }: StoryOptions): Events {
  const past = { days: historyDays, share: 1 };
  const open = (badShare: number) =>
    new GeneratedLog({ ...options, badShare, begunMs: startMs, past, speed: 1 });
  const [before, since] = [open(0), open(options.badShare)];
  const history = since.lengthAt(startMs);
  return {
    dueAt: (nowMs) => since.lengthAt(nowMs),
    record: (n) => (n < history ? before : since).record(n),
  };
}
