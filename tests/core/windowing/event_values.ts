/**
 * Values that are events, and values that nearly are.
 * @module
 */

import fc from "fast-check";
import { utf8 } from "../records/batches.ts";

const FIELDS: readonly string[] = ["lottery_name", "event_type", "timestamp"];

const name = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: "binary-ascii", minLength: 1, maxLength }),
    fc.string({ unit: "binary", minLength: 1, maxLength }),
    fc.constantFrom("lötto_€", "__proto__", "🎰", 'a"b', "a\\b", "a|b"),
  ).filter((text) => !text.includes("\0"));

const timestamp = fc.integer({ min: 1e11, max: 253_402_300_799_999 });
const spaces = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });

const extras = fc.array(
  fc.tuple(fc.string().filter((key) => !FIELDS.includes(key)), fc.jsonValue({ maxDepth: 2 })),
  { maxLength: 3 },
);

/** A valid event as JSON text: its fields and others in any order, with any spaces. */
export const eventText = fc.tuple(name(255), name(100), timestamp, extras, spaces)
  .chain(([lottery_name, event_type, timestamp, others, space]) => {
    const entries = [
      ...Object.entries({ lottery_name, event_type, timestamp }),
      ...others,
    ].map(([key, value]) =>
      `${space}${JSON.stringify(key)}${space}:${space}${JSON.stringify(value)}${space}`
    );
    return fc.shuffledSubarray(entries, { minLength: entries.length })
      .map((shuffled) => `${space}{${shuffled.join(",")}}${space}`);
  });

/** Objects of fields that may come twice, with numbers and literals that may be wrong. */
const nearlyEvent = fc.array(
  fc.tuple(
    fc.constantFrom(...FIELDS, "n", "lottery_nam", "timestamp2", "a name longer than the others"),
    fc.constantFrom(
      ...['"mega"', '"pay"', '"a\\u0062"', '""', "1672531200000", "1", "0", "01", "-0", "-", "1.5"],
      ...["1.", "1e3", "1E+3", "1e", ".5", "true", "false", "null", "nul", "truex", "{}", "[1]"],
      ...["9007199254740993", "1672531200000.0", "\u00fc", '"\u00fc"', '"\ufeffa"', '"a\tb"', ""],
    ),
  ),
  { maxLength: 6 },
).chain((fields) =>
  fc.tuple(fc.constantFrom("{", " {", ""), fc.constantFrom("}", "} ", "},", "}}", "")).map((
    [open, close],
  ) => open + fields.map(([key, value]) => `"${key}":${value}`).join(",") + close)
);

/** Bytes that are seldom an event: of any kind, or an event with some of them changed. */
export const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.json().map(utf8),
  fc.tuple(eventText, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
    const bytes = utf8(text);
    bytes[at % bytes.length] = byte;
    return bytes;
  }),
  nearlyEvent.map(utf8),
);
