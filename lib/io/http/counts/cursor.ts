/**
 * The cursor by which a client asks for the next page: a place among the rows, not a number of
 * them, so that counts which change meanwhile neither repeat a row nor skip one.
 * @module
 */

import type { CountKey } from "../../postgres/queries/counts/query.ts";
import { RequestError } from "../responses.ts";

/** With the range, because without `from` and `to` it would have moved since. */
export interface CursorPlace {
  readonly fromMs: number;
  readonly toMs: number;
  readonly after: CountKey;
}

export function cursorText({ fromMs, toMs, after }: CursorPlace): string {
  const parts = [fromMs, toMs, after.startMs, after.lotteryName, after.eventType];
  return new TextEncoder().encode(JSON.stringify(parts))
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

/** @throws {RequestError} unless it is one of ours. */
export function parseCursor(text: string): CursorPlace {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const parts = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const [fromMs, toMs, startMs, lotteryName, eventType] = parts;
    if (![fromMs, toMs, startMs].every(isTime) || ![lotteryName, eventType].every(isName)) {
      throw new RangeError();
    }
    return { fromMs, toMs, after: { startMs, lotteryName, eventType } };
  } catch (error) {
    throw new RequestError("cursor must be the value of next in the answer before.", {
      cause: error,
    });
  }
}

/** As a time that a request can have: of the years 0 to 9999 in some zone. */
function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && value as number >= Date.UTC(-1) &&
    value as number <= Date.UTC(10_001);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed() && !value.includes("\0");
}
