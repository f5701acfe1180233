import assert from "node:assert/strict";
import { Bursts } from "../../../../lib/commands/demo/chaos/bursts.ts";
import { EventParser } from "../../../../lib/core/windowing/event.ts";
import type { NumberedRecords } from "../../../../lib/io/sources/numbered_log.ts";

/** Ten records, or however many there are by now. */
class Growing implements NumberedRecords {
  length = 10;

  lengthAt(): number {
    return this.length;
  }

  record(n: number) {
    return { timestampMs: n, key: `${n}`, value: "" };
  }
}

const PARSER = new EventParser({ maxFutureMs: 300_000 });

function eventTimeOf({ timestampMs, value }: ReturnType<Bursts["record"]>): number | null {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const [start, end] = bytes === null ? [-1, 0] : [0, bytes.length];
  const event = PARSER.parse(bytes ?? new Uint8Array(), {
    ...{ start, end },
    recordTimestampMs: timestampMs,
  });
  return typeof event === "string" ? null : event.timestampMs;
}

Deno.test("Bursts puts records among the others, which keep their order", () => {
  const others = new Growing();
  const bursts = new Bursts(others, 1);
  const keys = () =>
    Array.from({ length: bursts.lengthAt(Date.now()) }, (_, n) => bursts.record(n))
      .filter(({ timestampMs }) => timestampMs < 1_000).map(({ key }) => key);
  bursts.add(5);
  others.length = 12;
  bursts.add(3);
  const before = Array.from({ length: 20 }, (_, n) => bursts.record(n));
  others.length = 14;
  assert.equal(bursts.lengthAt(Date.now()), 14 + 5 + 3);
  assert.deepEqual(keys(), Array.from({ length: 14 }, (_, n) => `${n}`));
  assert.deepEqual(Array.from({ length: 20 }, (_, n) => bursts.record(n)), before);
  const isOfBurst = before.map(({ timestampMs }) => timestampMs >= 1_000);
  assert.deepEqual(
    isOfBurst.flatMap((is, n) => is ? [n] : []),
    [10, 11, 12, 13, 14, 17, 18, 19],
  );
});

Deno.test("Bursts are of events that come late, and of records that are none", () => {
  const bursts = new Bursts(new Growing(), 7);
  const { late, bad, beforeMs } = bursts.add(400);
  assert.deepEqual([late, bad], [300, 100]);
  const times = Array.from({ length: 400 }, (_, n) => eventTimeOf(bursts.record(10 + n)));
  const events = times.filter((time) => time !== null);
  assert.deepEqual([events.length, times.length - events.length], [late, bad]);
  assert.ok(events.every((time) => time <= beforeMs && time > beforeMs - 3_600_000 - 1_000));
});
