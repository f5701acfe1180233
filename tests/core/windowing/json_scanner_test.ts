import fc from "fast-check";
import assert from "node:assert/strict";
import { EventScanner } from "../../../lib/core/windowing/json_scanner.ts";
import { utf8 } from "../records/batches.ts";
import { anyBytes, eventText } from "./event_values.ts";

const decode = (bytes: Uint8Array) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};

const scanner = () => new EventScanner({ decodeLotteryName: decode, decodeEventType: decode });

/** What the scanner says of a value that lies between `before` and `after`; null if it does not say. */
function scan(shared: EventScanner, value: Uint8Array, before: Uint8Array, after: Uint8Array) {
  const bytes = new Uint8Array([...before, ...value, ...after]);
  if (!shared.scan(bytes, before.length, before.length + value.length)) return null;
  const { lotteryName, eventType, timestamp } = shared;
  return { lottery_name: lotteryName, event_type: eventType, timestamp };
}

/** The fields of JSON that JSON.parse finds, or null if it is no JSON or has not all of them. */
function parse(value: Uint8Array) {
  try {
    const { lottery_name, event_type, timestamp } = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(value),
    );
    return { lottery_name, event_type, timestamp };
  } catch {
    return null;
  }
}

const around = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(utf8('"}')));

Deno.test("what scan() says equals what JSON.parse says, whatever the value and its surroundings are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyBytes, eventText.map(utf8)), { minLength: 1, maxLength: 4 }),
      around,
      around,
      (values, before, after) => {
        const shared = scanner();
        for (const value of [...values, ...values]) {
          const said = scan(shared, value, before, after);
          if (said !== null) assert.deepEqual(said, parse(value));
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

const after = new Uint8Array(16);

for (
  const [what, json] of Object.entries({
    "the usual form": '{"lottery_name":"mega","event_type":"pay","timestamp":1672531200000}',
    "another order, and spaces":
      '{ "timestamp" : 1672531200000 ,\n\t"event_type": "pay",\r"lottery_name": "mega" }',
    "names that are not ASCII":
      '{"lottery_name":"lötto_€","event_type":"🎰","timestamp":1672531200000}',
    "a byte order mark in a name":
      '{"lottery_name":"\ufeffa","event_type":"pay","timestamp":1672531200000}',
    "fields that come twice":
      '{"timestamp":1,"lottery_name":"a","event_type":"b","lottery_name":"mega","timestamp":1672531200000}',
    "other fields":
      '{"id":"u-7","n":-0.5e+10,"ok":true,"lottery_name":"mega","no":false,"event_type":"pay","timestamp":1672531200000,"x":null,"z":0}',
    "keys that begin like a field":
      '{"lottery_names":"no","event_types":1,"timestamps":2,"lottery_name":"mega","event_type":"pay","timestamp":1672531200000}',
  })
) {
  Deno.test(`scan() reads ${what}`, () => {
    assert.deepEqual(scan(scanner(), utf8(json), after, after), parse(utf8(json)));
  });
}

for (
  const [what, json] of Object.entries({
    "an escape": '{"lottery_name":"a\\u0062","event_type":"pay","timestamp":1672531200000}',
    "a nested object": '{"lottery_name":"a","event_type":"pay","timestamp":1672531200000,"x":{}}',
    "a fraction": '{"lottery_name":"a","event_type":"pay","timestamp":1672531200000.0}',
    "more digits than are exact":
      '{"lottery_name":"a","event_type":"pay","timestamp":9007199254740993}',
    "a name that is no text": '{"lottery_name":1,"event_type":"pay","timestamp":1672531200000}',
    "bytes behind the object": '{"lottery_name":"a","event_type":"pay","timestamp":1672531200000}}',
    "a leading zero": '{"lottery_name":"a","event_type":"pay","timestamp":1672531200000,"n":01}',
    "a field that is missing": '{"lottery_name":"a","timestamp":1672531200000}',
    "text that does not end": '{"lottery_name":"a}',
    "nothing": "",
  })
) {
  Deno.test(`scan() leaves ${what} to JSON.parse`, () => {
    assert.equal(scan(scanner(), utf8(json), after, after), null);
  });
}
