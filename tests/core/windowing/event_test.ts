import assert from "node:assert/strict";
import { MAX_PART_BYTES } from "../../../lib/core/records/record_batch.ts";
import {
  EventParser,
  type LotteryEvent,
  REJECTION_REASONS,
  type RejectionReason,
} from "../../../lib/core/windowing/event.ts";
import { utf8 } from "../records/batches.ts";

const RECORD_MS = 1_672_531_200_000;
const EVENT = { lottery_name: "mega_draw", event_type: "clicked", timestamp: RECORD_MS };
const PARSED = { lotteryName: "mega_draw", eventType: "clicked", timestampMs: RECORD_MS };
const MAX_FUTURE_MS = 300_000;
const YEAR_9999_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An event as JSON, with other fields; an undefined one is left out. */
function json(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...EVENT, ...fields });
}

function parse(
  value: string | Uint8Array | null,
  recordTimestampMs = -1,
): LotteryEvent | RejectionReason {
  const bytes = typeof value === "string" ? utf8(value) : value ?? new Uint8Array();
  const start = value === null ? -1 : 0;
  return new EventParser({ maxFutureMs: MAX_FUTURE_MS })
    .parse(bytes, { start, end: bytes.length, recordTimestampMs });
}

/** Each is rejected; without a record's timestamp where none is given. */
const REJECTED: readonly {
  readonly reason: RejectionReason;
  readonly name: string;
  readonly value: string | Uint8Array | null;
  readonly recordTimestampMs?: number;
}[] = [
  { reason: "tombstone", name: "a null value", value: null },

  { reason: "not_utf8", name: "the byte 0xff", value: new Uint8Array([0x22, 0xff, 0x22]) },
  { reason: "not_utf8", name: "an overlong slash", value: new Uint8Array([0x22, 0xc0, 0xaf]) },
  {
    reason: "not_utf8",
    name: "a surrogate as bytes",
    value: new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]),
  },
  {
    reason: "not_utf8",
    name: "an event cut inside a character",
    value: utf8(json({ lottery_name: "€" })).subarray(0, 19),
  },

  { reason: "not_json", name: "an empty value", value: "" },
  { reason: "not_json", name: "spaces", value: "  " },
  { reason: "not_json", name: "text", value: "clicked" },
  { reason: "not_json", name: "text beyond ASCII", value: "größe" },
  { reason: "not_json", name: "a truncated event", value: json().slice(0, -1) },
  { reason: "not_json", name: "two events", value: json() + json() },
  { reason: "not_json", name: "a trailing comma", value: json().slice(0, -1) + ",}" },
  { reason: "not_json", name: "NaN", value: '{"timestamp":NaN}' },
  { reason: "not_json", name: "a raw NUL", value: json({ lottery_name: "X" }).replace("X", "\0") },

  { reason: "not_an_object", name: "null", value: "null" },
  { reason: "not_an_object", name: "a number", value: "1672531200000" },
  { reason: "not_an_object", name: "a string", value: JSON.stringify(json()) },
  { reason: "not_an_object", name: "true", value: "true" },
  { reason: "not_an_object", name: "an array", value: `[${json()}]` },

  { reason: "lottery_name_missing", name: "an empty object", value: "{}" },
  { reason: "lottery_name_missing", name: "no lottery", value: json({ lottery_name: undefined }) },
  {
    reason: "lottery_name_missing",
    name: "fields inside __proto__",
    value: `{"__proto__":${json()}}`,
  },
  {
    reason: "lottery_name_missing",
    name: "another case",
    value: json().replace("lottery_name", "Lottery_Name"),
  },
  { reason: "lottery_name_not_text", name: "lottery null", value: json({ lottery_name: null }) },
  { reason: "lottery_name_not_text", name: "lottery 7", value: json({ lottery_name: 7 }) },
  { reason: "lottery_name_not_text", name: "lottery false", value: json({ lottery_name: false }) },
  { reason: "lottery_name_not_text", name: "lottery [a]", value: json({ lottery_name: ["a"] }) },
  { reason: "lottery_name_not_text", name: "lottery {}", value: json({ lottery_name: {} }) },
  { reason: "lottery_name_empty", name: "lottery ''", value: json({ lottery_name: "" }) },
  {
    reason: "lottery_name_too_long",
    name: "lottery of 256 letters",
    value: json({ lottery_name: "x".repeat(256) }),
  },
  {
    reason: "lottery_name_too_long",
    name: "lottery of 256 emoji",
    value: json({ lottery_name: "🎰".repeat(256) }),
  },
  {
    reason: "lottery_name_not_storable",
    name: "lottery with NUL",
    value: json({ lottery_name: "mega\0draw" }),
  },
  {
    reason: "lottery_name_not_storable",
    name: "lottery with a high surrogate",
    value: json({ lottery_name: "mega\ud83c" }),
  },
  {
    reason: "lottery_name_not_storable",
    name: "lottery with a low surrogate",
    value: json({ lottery_name: "\udfb0mega" }),
  },

  { reason: "event_type_missing", name: "no type", value: json({ event_type: undefined }) },
  { reason: "event_type_not_text", name: "type null", value: json({ event_type: null }) },
  { reason: "event_type_not_text", name: "type 7", value: json({ event_type: 7 }) },
  { reason: "event_type_empty", name: "type ''", value: json({ event_type: "" }) },
  {
    reason: "event_type_too_long",
    name: "type of 101 letters",
    value: json({ event_type: "x".repeat(101) }),
  },
  {
    reason: "event_type_too_long",
    name: "type of 101 emoji",
    value: json({ event_type: "🎰".repeat(101) }),
  },
  { reason: "event_type_not_storable", name: "type with NUL", value: json({ event_type: "\0" }) },
  {
    reason: "event_type_not_storable",
    name: "type with half an emoji",
    value: json({ event_type: "pay\udc00" }),
  },

  { reason: "timestamp_missing", name: "no time", value: json({ timestamp: undefined }) },
  { reason: "timestamp_not_an_integer", name: "time null", value: json({ timestamp: null }) },
  { reason: "timestamp_not_an_integer", name: "time true", value: json({ timestamp: true }) },
  {
    reason: "timestamp_not_an_integer",
    name: "a number as text",
    value: json({ timestamp: "1672531200000" }),
  },
  {
    reason: "timestamp_not_an_integer",
    name: "a date as text",
    value: json({ timestamp: "2023-01-01T00:00:00Z" }),
  },
  {
    reason: "timestamp_not_an_integer",
    name: "half a millisecond",
    value: json({ timestamp: RECORD_MS + 0.5 }),
  },
  {
    reason: "timestamp_not_an_integer",
    name: "a number beyond all doubles",
    value: json({ timestamp: "X" }).replace('"X"', "1e400"),
  },
  { reason: "timestamp_not_positive", name: "time 0", value: json({ timestamp: 0 }) },
  {
    reason: "timestamp_not_positive",
    name: "time -0",
    value: json({ timestamp: "X" }).replace('"X"', "-0"),
  },
  { reason: "timestamp_not_positive", name: "time -1", value: json({ timestamp: -1 }) },
  { reason: "timestamp_in_seconds", name: "time 1", value: json({ timestamp: 1 }) },
  { reason: "timestamp_in_seconds", name: "seconds", value: json({ timestamp: 1_672_531_200 }) },
  {
    reason: "timestamp_in_seconds",
    name: "the greatest seconds",
    value: json({ timestamp: 99_999_999_999 }),
  },
  {
    reason: "timestamp_out_of_range",
    name: "the year 10000",
    value: json({ timestamp: YEAR_9999_MS + 1 }),
  },
  { reason: "timestamp_out_of_range", name: "microseconds", value: json({ timestamp: 1.6e15 }) },
  {
    reason: "timestamp_in_future",
    name: "one millisecond too far ahead",
    value: json({ timestamp: RECORD_MS + MAX_FUTURE_MS + 1 }),
    recordTimestampMs: RECORD_MS,
  },
  {
    reason: "value_too_large",
    name: "a value of more than a megabyte",
    value: json({ note: "x".repeat(MAX_PART_BYTES) }),
  },
];

for (const { reason, name, value, recordTimestampMs } of REJECTED) {
  Deno.test(`parse() rejects ${name} as ${reason}`, () => {
    assert.equal(parse(value, recordTimestampMs), reason);
  });
}

const NO_TIMES = [-(2 ** 53), -5, -1, 0, 1, RECORD_MS / 1000, 1e11 - 1, YEAR_9999_MS + 1, 2 ** 63];

for (const recordTimestampMs of NO_TIMES) {
  Deno.test(`parse() judges no future by a record timestamp of ${recordTimestampMs}`, () => {
    assert.deepEqual(parse(json(), recordTimestampMs), PARSED);
  });
}

Deno.test("parse() judges the future by every record timestamp that is a time", () => {
  const inFuture = json({ timestamp: 1e11 + MAX_FUTURE_MS + 1 });
  assert.equal(parse(inFuture, 1e11), "timestamp_in_future");
  assert.equal(parse(json({ timestamp: 1e11 + MAX_FUTURE_MS }), 1e11) instanceof Object, true);
});

Deno.test("parse() accepts an event of a megabyte, and refuses a longer one though only a part is held", () => {
  const value = utf8(json({ note: "" }));
  const note = "x".repeat(MAX_PART_BYTES - value.length);
  assert.deepEqual(parse(json({ note })), PARSED);
  const position = { start: 0, end: value.length, recordTimestampMs: RECORD_MS };
  assert.equal(
    new EventParser({ maxFutureMs: 0 }).parse(value, { ...position, size: MAX_PART_BYTES + 1 }),
    "value_too_large",
  );
});

Deno.test("every rejection reason has a case here", () => {
  const covered = new Set<string>(REJECTED.map(({ reason }) => reason));
  assert.deepEqual(REJECTION_REASONS.filter((reason) => !covered.has(reason)), []);
});

Deno.test("parse() names the first problem in the order lottery, type, time", () => {
  assert.equal(parse('{"event_type":7,"timestamp":-1}'), "lottery_name_missing");
  assert.equal(parse('{"lottery_name":"a","event_type":7,"timestamp":-1}'), "event_type_not_text");
  assert.equal(parse(json({ lottery_name: "\0".repeat(256) })), "lottery_name_too_long");
});

const ACCEPTED: readonly { readonly name: string; readonly value: string | Uint8Array }[] = [
  { name: "an event", value: json() },
  { name: "other fields", value: json({ user: { id: 1 }, ip: null, tags: ["a"] }) },
  { name: "a field __proto__", value: json().replace("{", '{"__proto__":{"timestamp":1},') },
  {
    name: "another order of the fields",
    value: `{"timestamp":${RECORD_MS},"event_type":"clicked","lottery_name":"mega_draw"}`,
  },
  { name: "spaces and line breaks", value: `\r\n\t ${JSON.stringify(EVENT, null, 2)} \n` },
  { name: "escaped letters", value: json().replace("mega", "\\u006dega") },
  { name: "an escaped field name", value: json().replace("lottery_name", "lottery\\u005fname") },
  { name: "an exponent", value: json().replace(String(RECORD_MS), "16725312e5") },
  { name: "a fraction of zero", value: json().replace(String(RECORD_MS), `${RECORD_MS}.0`) },
  { name: "a byte order mark", value: new Uint8Array([0xef, 0xbb, 0xbf, ...utf8(json())]) },
  {
    name: "the last of fields that come twice",
    value: `{"lottery_name":7,"timestamp":"","event_type":"",${json().slice(1)}`,
  },
];

for (const { name, value } of ACCEPTED) {
  Deno.test(`parse() accepts ${name}`, () => assert.deepEqual(parse(value), PARSED));
}

Deno.test("parse() takes the last of fields that come twice, even if it is the bad one", () => {
  assert.equal(parse(json().slice(0, -1) + ',"event_type":""}'), "event_type_empty");
});
