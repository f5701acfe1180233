/**
 * What the tables of counts should hold, and the functions that read them answer: kept and worked
 * out here, event by event.
 * @module
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How far each table reaches back, as the pipeline's row says; ±∞ in milliseconds if it is null. */
export interface Horizons {
  readonly windowsFromMs: number;
  readonly hoursFromMs: number;
  /** Where the hours begin that are shown as whole. */
  readonly hoursKeptFromMs: number;
}

export interface Counted {
  readonly windowStartMs: number;
  readonly lotteryName: string;
  readonly eventType: string;
  readonly count: number;
}

export interface Bucket {
  readonly startMs: number;
  readonly endMs: number;
}

/** Counts as `[lottery, type]` in JSON → events, with what stands before them in the key. */
export type Totals = ReadonlyMap<string, number>;

export class HourModel {
  #events: Counted[] = [];
  /** Windows from before it were deleted before there were hours. */
  #neverInHoursBeforeMs = -Infinity;
  /** Hours that start before it are deleted. */
  #hoursDeletedBeforeMs = -Infinity;

  count(counts: readonly Counted[]): void {
    this.#events.push(...counts);
  }

  /** The tables get hours when these windows are deleted already. */
  beginHours(windowsFromMs: number): void {
    this.#neverInHoursBeforeMs = windowsFromMs;
  }

  deleteHours(beforeMs: number): void {
    this.#hoursDeletedBeforeMs = beforeMs;
  }

  clear(): void {
    this.#events = [];
    this.#neverInHoursBeforeMs = this.#hoursDeletedBeforeMs = -Infinity;
  }

  /** Events counted ever. */
  get events(): number {
    return this.#events.reduce((sum, { count }) => sum + count, 0);
  }

  windows({ windowsFromMs }: Horizons): Totals {
    return totals(
      this.#events.filter(({ windowStartMs }) => windowStartMs >= windowsFromMs),
      ({ windowStartMs }) => windowStartMs,
    );
  }

  hours({ hoursFromMs }: Horizons): Totals {
    return totals(
      this.#events.filter(({ windowStartMs }) =>
        windowStartMs >= hoursFromMs && this.#isInHour(windowStartMs)
      ),
      ({ windowStartMs }) => hourOf(windowStartMs),
    );
  }

  /** Events of the windows that start there, of which nothing is missing but what was deleted. */
  between({ startMs, endMs }: Bucket, { windowsFromMs }: Horizons): Totals {
    return totals(
      this.#events.filter(({ windowStartMs }) => {
        if (windowStartMs < startMs || windowStartMs >= endMs) return false;
        if (windowStartMs >= windowsFromMs) return true;
        // Deleted, but still in its hour; which is no use if the hour reaches beyond the range.
        const hour = hourOf(windowStartMs);
        return hour >= startMs && hour + HOUR_MS <= endMs && this.#isInHour(windowStartMs);
      }),
      () => null,
    );
  }

  /** All events of the windows that start there, deleted or not. */
  all({ startMs, endMs }: Bucket): Totals {
    return totals(
      this.#events.filter(({ windowStartMs }) => windowStartMs >= startMs && windowStartMs < endMs),
      () => null,
    );
  }

  #isInHour(windowStartMs: number): boolean {
    return windowStartMs >= this.#neverInHoursBeforeMs &&
      hourOf(windowStartMs) >= this.#hoursDeletedBeforeMs;
  }
}

/** The buckets that start in a range and of which nothing is deleted; from a day on by the calendar. */
export function bucketsOf(
  { startMs, endMs }: Bucket,
  { stepMs, zone, horizons }: {
    readonly stepMs: number;
    readonly zone: string;
    readonly horizons: Horizons;
  },
): Bucket[] {
  const all = stepMs < DAY_MS
    ? evenBuckets({ startMs, endMs }, stepMs)
    : calendarBuckets({ startMs, endMs }, { days: stepMs / DAY_MS, zone });
  return all.filter((bucket) => {
    const isOfHours = bucket.startMs % HOUR_MS === 0 && bucket.endMs % HOUR_MS === 0;
    return bucket.startMs >= (isOfHours ? horizons.hoursKeptFromMs : horizons.windowsFromMs);
  });
}

function evenBuckets({ startMs, endMs }: Bucket, stepMs: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let at = Math.ceil(startMs / stepMs) * stepMs; at < endMs; at += stepMs) {
    buckets.push({ startMs: at, endMs: at + stepMs });
  }
  return buckets;
}

function calendarBuckets(
  { startMs, endMs }: Bucket,
  { days, zone }: { readonly days: number; readonly zone: string },
): Bucket[] {
  const monday = Temporal.PlainDate.from("2001-01-01");
  const first = Temporal.Instant.fromEpochMilliseconds(Math.floor(startMs))
    .toZonedDateTimeISO(zone).toPlainDate();
  const since = monday.until(first, { largestUnit: "days" }).days;
  const midnight = (day: number) =>
    monday.add({ days: day }).toZonedDateTime(zone).epochMilliseconds;
  const buckets: Bucket[] = [];
  for (let day = Math.floor(since / days) * days; midnight(day) < endMs; day += days) {
    if (midnight(day) < startMs) continue;
    buckets.push({ startMs: midnight(day), endMs: midnight(day + days) });
  }
  return buckets;
}

function totals(events: readonly Counted[], before: (event: Counted) => number | null): Totals {
  const sums = new Map<string, number>();
  for (const event of events) {
    const key = JSON.stringify([before(event), event.lotteryName, event.eventType]);
    sums.set(key, (sums.get(key) ?? 0) + event.count);
  }
  return sums;
}

function hourOf(windowStartMs: number): number {
  return windowStartMs - windowStartMs % HOUR_MS;
}

/** The start of the minute that a time belongs to. */
export function minuteOf(timeMs: number): number {
  return timeMs - timeMs % MINUTE_MS;
}
