/**
 * Bytes to events, for each way that an event can be written: `deno bench tests/bench`.
 * @module
 */

import { EventParser } from "../../lib/core/windowing/event.ts";
import { type Form, line } from "./lines.ts";

const EVENTS = 10_000;
const LOAD = { events: EVENTS, lotteries: 20, spanMs: 30 * 60_000 };

for (const form of ["compact", "any JSON", "bad"] as const) {
  const { bytes, ends } = values(form);
  const parser = new EventParser({ maxFutureMs: 300_000 });
  Deno.bench(`${EVENTS} events, ${form}: EventParser`, { group: form, baseline: true }, () => {
    for (let n = 0, start = 0; n < EVENTS; start = ends[n++]!) {
      parser.parse(bytes, { start, end: ends[n]!, recordTimestampMs: -1 });
    }
  });
  const decoder = new TextDecoder();
  Deno.bench(`${EVENTS} events, ${form}: JSON.parse`, { group: form }, () => {
    for (let n = 0, start = 0; n < EVENTS; start = ends[n++]!) {
      JSON.parse(decoder.decode(bytes.subarray(start, ends[n]!)));
    }
  });
}

/** Values one after the other, as in a record batch. */
function values(form: Form): { readonly bytes: Uint8Array; readonly ends: readonly number[] } {
  const encoder = new TextEncoder();
  const lines = Array.from(
    { length: EVENTS },
    (_, n) => encoder.encode(line(n, { ...LOAD, form })),
  );
  const bytes = new Uint8Array(lines.reduce((sum, { length }) => sum + length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const each of lines) {
    bytes.set(each, end);
    ends.push(end += each.length);
  }
  return { bytes, ends };
}
