/**
 * A round of the audit, and a lottery that is quiet, as they are read.
 */

import type { AuditNote } from "../../lib/core/audit/audit_note.ts";
import type { QuietLottery } from "../../lib/core/views/quiet.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);
const NOW_MS = NOON_MS + 30_000;

/** A round of the audit that agreed, four minutes ago. */
export const AUDIT: AuditNote = {
  atMs: NOW_MS - 4 * MINUTE_MS,
  fromMs: NOON_MS - 3 * 60 * MINUTE_MS,
  toMs: NOON_MS - 5 * MINUTE_MS,
  records: 321_835,
  rows: 1_064,
  wrong: 0,
  notProvable: 0,
  seconds: 2.5,
  verdict: "agrees",
  firstWrong: [],
  roundMs: 15 * MINUTE_MS,
};

/** Hardly anybody pays any more. */
export const QUIET: QuietLottery = {
  lotteryName: "mega_draw",
  eventType: "pay",
  quietSinceMs: NOON_MS - 40 * MINUTE_MS,
  events: 2,
  expected: 1_140,
  weeks: 4,
};
