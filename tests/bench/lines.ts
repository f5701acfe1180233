/**
 * Events as lines of JSON, in each way that they can be written.
 * @module
 */

import type { Load } from "./load.ts";

/** How an event is written. */
export type Form = "compact" | "any JSON" | "bad";

const TYPES = ["clicked", "register", "pay"];
const START_MS = Date.UTC(2025, 0, 1);

/** Event number `n` as a line. */
export function line(
  n: number,
  load: Required<Pick<Load, "lotteries" | "spanMs" | "events" | "form">>,
) {
  const lottery = `lottery_${String((n * 7_919) % load.lotteries).padStart(2, "0")}`;
  const type = TYPES[n % 3]!;
  const timestamp = START_MS + Math.floor(n / load.events * load.spanMs);
  switch (load.form) {
    case "compact":
      return `{"lottery_name":"${lottery}","event_type":"${type}","timestamp":${timestamp}}`;
    case "any JSON":
      return n % 2 === 0
        ? `{"timestamp": ${timestamp}, "lottery_name": "${lottery}", "event_type": "${type}", "u": ${n}}`
        : `{"id":"${n}", "event_type":"${type}", "lottery_name":"${lottery}", "timestamp":${timestamp}}`;
    case "bad":
      return `{"lottery_name":"${lottery}","event_type":"${type}","timestamp":"${timestamp}"}`;
  }
}
