import assert from "node:assert/strict";
import {
  EventParser,
  type LotteryEvent,
  type RejectionReason,
} from "../../../lib/core/windowing/event.ts";
import { utf8 } from "../records/batches.ts";

const RECORD_MS = 1_672_531_200_000;
const MAX_FUTURE_MS = 300_000;
const YEAR_9999_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

interface Fields {
  readonly lottery_name?: string;
  readonly event_type?: string;
  readonly timestamp?: number;
}

function parse(
  { lottery_name = "mega_draw", event_type = "clicked", timestamp = RECORD_MS }: Fields,
  recordTimestampMs = -1,
): LotteryEvent | RejectionReason {
  const bytes = utf8(JSON.stringify({ lottery_name, event_type, timestamp }));
  return new EventParser({ maxFutureMs: MAX_FUTURE_MS })
    .parse(bytes, { start: 0, end: bytes.length, recordTimestampMs });
}

const NAMES: readonly string[] = [
  "lötto_€",
  "__proto__",
  "constructor",
  "toString",
  "a|b",
  "a,b",
  '"quoted"',
  "it's",
  "back\\slash",
  "\\u0041",
  "line\nbreak",
  " spaces around ",
  " ",
  "🎰",
  "👨‍👩‍👧‍👦",
  "caf\u00e9",
  "cafe\u0301",
  "\u0001\u007f",
  "\ufeffmarked",
  "\ufffd",
  "null",
  "0",
  "Mega_Draw",
];

for (const name of NAMES) {
  Deno.test(`parse() keeps the name ${JSON.stringify(name)} exactly as it came`, () => {
    assert.deepEqual(
      parse({ lottery_name: name, event_type: name }),
      { lotteryName: name, eventType: name, timestampMs: RECORD_MS },
    );
  });
}

const LENGTHS: readonly {
  readonly field: "lottery_name" | "event_type";
  readonly most: number;
}[] = [{ field: "lottery_name", most: 255 }, { field: "event_type", most: 100 }];

/** One code point each, in one to four bytes and in one or two UTF-16 units. */
const CODE_POINTS = ["x", "ö", "€", "🎰"];

for (const { field, most } of LENGTHS) {
  for (const codePoint of CODE_POINTS) {
    Deno.test(`parse() accepts ${most} code points ${codePoint} as ${field}, and not one more`, () => {
      const longest = codePoint.repeat(most);
      const parsed = parse({ [field]: longest }) as LotteryEvent;
      assert.equal(field === "lottery_name" ? parsed.lotteryName : parsed.eventType, longest);
      assert.equal(parse({ [field]: `${longest}x` }), `${field}_too_long`);
      assert.equal(parse({ [field]: longest + codePoint }), `${field}_too_long`);
    });
  }
}

const TIMES: readonly {
  readonly name: string;
  readonly timestamp: number;
  readonly recordTimestampMs?: number;
}[] = [
  { name: "100,000,000,000, the least that is not seconds", timestamp: 100_000_000_000 },
  { name: "1e12", timestamp: 1e12 },
  { name: "the end of the year 9999", timestamp: YEAR_9999_MS },
  { name: "the record's own time", timestamp: RECORD_MS, recordTimestampMs: RECORD_MS },
  {
    name: "a time as far ahead of its record as is allowed",
    timestamp: RECORD_MS + MAX_FUTURE_MS,
    recordTimestampMs: RECORD_MS,
  },
  {
    name: "a time decades before its record",
    timestamp: 100_000_000_000,
    recordTimestampMs: RECORD_MS,
  },
  { name: "any future if the record has no time", timestamp: YEAR_9999_MS, recordTimestampMs: -1 },
];

for (const { name, timestamp, recordTimestampMs } of TIMES) {
  Deno.test(`parse() accepts ${name}`, () => {
    assert.equal((parse({ timestamp }, recordTimestampMs) as LotteryEvent).timestampMs, timestamp);
  });
}

Deno.test("parse() allows no time after the record's own with a maxFutureMs of 0", () => {
  const parser = new EventParser({ maxFutureMs: 0 });
  const bytes = utf8(
    JSON.stringify({ lottery_name: "mega_draw", event_type: "clicked", timestamp: RECORD_MS }),
  );
  const at = (recordTimestampMs: number) =>
    parser.parse(bytes, { start: 0, end: bytes.length, recordTimestampMs });
  assert.equal((at(RECORD_MS) as LotteryEvent).timestampMs, RECORD_MS);
  assert.equal(at(RECORD_MS - 1), "timestamp_in_future");
});
