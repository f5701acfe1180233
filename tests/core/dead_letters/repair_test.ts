import assert from "node:assert/strict";
import { addRepair, type Repair, repaired } from "../../../lib/core/dead_letters/repair.ts";
import { utf8 } from "../records/batches.ts";

const RECORD_MS = 1_763_800_020_000;
const decoder = new TextDecoder();

function repairOf(...assignments: readonly string[]): Repair {
  return assignments.reduce(addRepair, {});
}

const EVENT = { lottery_name: "keno", event_type: "pay", timestamp: 1_763_800_000, extra: [1] };

/** Repairs of EVENT, and what they change. */
const CHANGES: readonly (readonly [assignments: readonly string[], change: object])[] = [
  [["timestamp=1763800000123"], { timestamp: 1_763_800_000_123 }],
  [["timestamp=2025-11-22T08:26:40Z"], { timestamp: 1_763_800_000_000 }],
  [["timestamp=2025-11-22T09:26:40.5+01:00"], { timestamp: 1_763_800_000_500 }],
  [["timestamp=record"], { timestamp: RECORD_MS }],
  [["timestamp=seconds"], { timestamp: 1_763_800_000_000 }],
  [["lottery_name=a=b", "event_type="], { lottery_name: "a=b", event_type: "" }],
  [["event_type=register", "event_type=clicked"], { event_type: "clicked" }],
];

for (const [assignments, change] of CHANGES) {
  Deno.test(`repaired() sets ${assignments.join(" ")} and keeps the rest`, () => {
    const value = repaired(utf8(JSON.stringify(EVENT)), repairOf(...assignments), RECORD_MS);
    assert.deepEqual(JSON.parse(decoder.decode(value!)), { ...EVENT, ...change });
  });
}

Deno.test("repaired() leaves every byte as it is if nothing is set", () => {
  const value = new Uint8Array([0xff, 0x00]);
  assert.equal(repaired(value, {}, RECORD_MS), value);
  assert.equal(repaired(null, {}, RECORD_MS), null);
});

Deno.test("repaired() replaces what is not a JSON object by one of what is set", () => {
  for (const broken of [null, utf8("{not json"), utf8("[1]"), utf8("null"), utf8("5")]) {
    const value = repaired(broken, repairOf("event_type=pay", "timestamp=record"), RECORD_MS);
    assert.equal(decoder.decode(value!), `{"event_type":"pay","timestamp":${RECORD_MS}}`);
  }
});

Deno.test("repaired() sets no timestamp that nobody knows", () => {
  const value = utf8('{"timestamp":"soon"}');
  assert.equal(
    decoder.decode(repaired(value, repairOf("timestamp=record"), -1)!),
    decoder.decode(value),
  );
  assert.equal(
    decoder.decode(repaired(value, repairOf("timestamp=seconds"), RECORD_MS)!),
    decoder.decode(value),
  );
});

for (
  const wrong of [
    "timestamp",
    "timestamp=soon",
    "timestamp=2025-11-22",
    "timestamp=2025-02-29T00:00:00Z",
    "timestamp=-1",
    "name=x",
  ]
) {
  Deno.test(`addRepair() refuses ${wrong}`, () => {
    assert.throws(() => addRepair({}, wrong), RangeError);
  });
}
