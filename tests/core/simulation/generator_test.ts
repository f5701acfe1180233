import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type GeneratedRecord,
  Generator,
  type GeneratorOptions,
} from "../../../lib/core/simulation/generator.ts";
import {
  EventParser,
  type LotteryEvent,
  type RejectionReason,
} from "../../../lib/core/windowing/event.ts";
import { utf8 } from "../records/batches.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const RECORDS = 20_000;
const OPTIONS: GeneratorOptions = { seed: 1, lotteries: 40, badShare: 0.1, lateShare: 0.2 };

/** The first records, all made at noon. */
function generate(options: Partial<GeneratorOptions> = {}, records = RECORDS): GeneratedRecord[] {
  const generator = new Generator({ ...OPTIONS, ...options });
  return Array.from({ length: records }, (_, n) => generator.record(n, NOON_MS));
}

function parse({ value }: GeneratedRecord, nowMs = NOON_MS): LotteryEvent | RejectionReason {
  const bytes = typeof value === "string" ? utf8(value) : value ?? new Uint8Array();
  return new EventParser({ maxFutureMs: 300_000 })
    .parse(bytes, { start: value === null ? -1 : 0, end: bytes.length, recordTimestampMs: nowMs });
}

const isEvent = (parsed: LotteryEvent | RejectionReason) => typeof parsed !== "string";

/** How often each of the texts comes, from the most frequent on. */
function tally(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

function assertNear(actual: number, expected: number, distance: number): void {
  assert.ok(Math.abs(actual - expected) <= distance, `${actual} is not near ${expected}`);
}

const seed = fc.integer();
const index = fc.oneof(fc.nat(100_000), fc.integer({ min: 0, max: 2 ** 40 }));
const time = fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2100, 0) });

Deno.test("record() makes the same record again from the same options, number and time", () => {
  fc.assert(fc.property(seed, index, time, (seed, n, nowMs) => {
    const again = () => new Generator({ ...OPTIONS, seed }).record(n, nowMs);
    assert.deepEqual(again(), again());
  }));
});

Deno.test("record() does not depend on which records were made before", () => {
  const generator = new Generator(OPTIONS);
  const numbers = Array.from({ length: 500 }, (_, n) => n);
  const backwards = numbers.toReversed().map((n) => generator.record(n, NOON_MS)).reverse();
  assert.deepEqual(backwards, generate({}, numbers.length));
});

Deno.test("record() makes others with another number beyond 32 bits", () => {
  const generator = new Generator(OPTIONS);
  const from = (first: number) =>
    Array.from({ length: 50 }, (_, n) => generator.record(first + n, NOON_MS));
  assert.notDeepEqual(from(2 ** 32), from(0));
});

Deno.test("another seed makes other records", () => {
  const [one, other] = [generate({ seed: 1 }), generate({ seed: 2 })];
  const same = one.filter(({ key, value }, n) => {
    return key === other[n]!.key && String(value) === String(other[n]!.value);
  });
  assert.ok(same.length < RECORDS * 0.05, `${same.length} are the same`);
});

Deno.test("another seed makes other totals, not the same records in another order", () => {
  const totals = (seed: number) => tally(generate({ seed }).map(({ key }) => key));
  assert.notDeepEqual(totals(1), totals(2));
});

Deno.test("record() keeps to the shares of bad and late records", () => {
  const parsed = generate().map((record) => parse(record));
  const events = parsed.filter(isEvent);
  const late = events.filter(({ timestampMs }) => timestampMs < NOON_MS - 1_000);
  assertNear(1 - events.length / RECORDS, OPTIONS.badShare, 0.01);
  assertNear(late.length / events.length, OPTIONS.lateShare, 0.015);
});

Deno.test("record() makes nothing bad or late if not asked to", () => {
  for (const record of generate({ badShare: 0, lateShare: 0 })) {
    const parsed = parse(record);
    assert.ok(isEvent(parsed));
    assert.ok(parsed.timestampMs <= NOON_MS && parsed.timestampMs >= NOON_MS - 1_000);
  }
});

Deno.test("late events are spread over ten minutes", () => {
  const ages = generate({ badShare: 0, lateShare: 1 }).map((record) => {
    const parsed = parse(record);
    assert.ok(isEvent(parsed));
    return NOON_MS - parsed.timestampMs;
  });
  assert.ok(Math.min(...ages) >= 0 && Math.max(...ages) <= 600_000);
  assertNear(ages.reduce((sum, age) => sum + age, 0) / RECORDS, 300_000, 15_000);
});

Deno.test("every good record is an event of its key, at any time and with any seed", () => {
  fc.assert(fc.property(seed, index, time, (seed, n, nowMs) => {
    const record = new Generator({ ...OPTIONS, badShare: 0, seed }).record(n, nowMs);
    const parsed = parse(record, nowMs);
    assert.ok(isEvent(parsed), String(parsed));
    assert.equal(parsed.lotteryName, record.key);
    assert.ok(parsed.timestampMs <= nowMs);
  }));
});

Deno.test("every bad record is rejected, at any time and with any seed", () => {
  fc.assert(
    fc.property(seed, index, time, (seed, n, nowMs) => {
      const record = new Generator({ ...OPTIONS, badShare: 1, seed }).record(n, nowMs);
      assert.ok(!isEvent(parse(record, nowMs)), String(record.value));
    }),
    { numRuns: 500 },
  );
});

Deno.test("bad records are bad for many reasons, none of them rare", () => {
  const reasons = tally(generate({ badShare: 1 }).map((record) => String(parse(record))));
  assert.ok(reasons.size >= 10, [...reasons.keys()].join());
  assert.ok([...reasons.values()].every((count) => count > RECORDS / 30));
});

/** Lotteries from the most popular on: each is the one that a generator with one more adds. */
function ranking(count: number): string[] {
  const names: string[] = [];
  for (let lotteries = 1; lotteries <= count; lotteries++) {
    const keys = new Set(generate({ lotteries }, 2_000).map(({ key }) => key));
    const added = [...keys].filter((key) => !names.includes(key));
    assert.equal(added.length, 1, `${added} at rank ${lotteries}`);
    names.push(...added);
  }
  return names;
}

Deno.test("popularity falls with the rank: 1, 1/2, 1/3 …", () => {
  const names = ranking(8);
  const counts = tally(generate({ lotteries: names.length }).map(({ key }) => key));
  assert.deepEqual([...counts.keys()], names);
  const total = names.reduce((sum, _, at) => sum + 1 / (at + 1), 0);
  for (const [at, name] of names.entries()) {
    assertNear(counts.get(name)! / RECORDS, 1 / (at + 1) / total, 0.015);
  }
});

Deno.test("bad and late records come from popular and rare lotteries alike", () => {
  const records = generate();
  const [mostPopular] = tally(records.map(({ key }) => key)).keys();
  const shareIn = (part: readonly GeneratedRecord[]) =>
    part.filter(({ key }) => key === mostPopular).length / part.length;
  const bad = records.filter((record) => !isEvent(parse(record)));
  const late = records.filter((record) => {
    const parsed = parse(record);
    return isEvent(parsed) && parsed.timestampMs < NOON_MS - 1_000;
  });
  assertNear(shareIn(bad), shareIn(records), 0.03);
  assertNear(shareIn(late), shareIn(records), 0.03);
});

Deno.test("every lottery has a name of its own, however many there are", () => {
  const keys = tally(generate({ lotteries: 400 }).map(({ key }) => key));
  assert.ok(keys.size > 390 && keys.size <= 400, `${keys.size}`);
});

Deno.test("events form a funnel: most are clicks, few are payments", () => {
  const events = generate({ badShare: 0 }).map((record) => parse(record)).filter(isEvent);
  const types = tally(events.map(({ eventType }) => eventType));
  const share = (type: string) => (types.get(type) ?? 0) / events.length;
  assert.equal([...types.keys()][0], "clicked");
  assert.ok(share("clicked") > 0.5);
  assert.ok(share("pay") > 0.01 && share("pay") < share("register"));
});

Deno.test("a lottery that stops has no payments from then on, and nothing else changes", () => {
  const generator = new Generator(OPTIONS);
  const fromMs = NOON_MS - 300_000;
  const stopped = new Generator({ ...OPTIONS, stop: { lotteryName: "mega_draw", fromMs } });
  let changed = 0;
  for (let n = 0; n < RECORDS; n++) {
    const [before, after] = [generator.record(n, NOON_MS), stopped.record(n, NOON_MS)];
    const event = parse(before);
    const isPayment = isEvent(event) && event.lotteryName === "mega_draw" &&
      event.eventType === "pay" && event.timestampMs >= fromMs;
    const { key, value } = before;
    assert.deepEqual(
      after,
      isPayment ? { key, value: String(value).replace('"pay"', '"clicked"') } : before,
    );
    if (isPayment) changed++;
  }
  assert.ok(changed > 50, `${changed}`);
});
