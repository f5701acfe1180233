/**
 * Rows of counts by any step, a page at a time. A page costs what it returns, whatever the range
 * holds: it reads a few buckets, then as many as the time allows, until it is full.
 * @module
 */

import { isMigrated } from "../../schema/migrate.ts";
import type { Connection } from "../../session/connection.ts";
import { isInOrder, readState } from "./bucket_state.ts";
import type { CountKey, CountRow, CountsQuery } from "./query.ts";
import { nextCountedHour, readSpan } from "./spans.ts";

export interface CountsPage {
  readonly rows: readonly CountRow[];
  /** What the next page comes after; null: this is the last one. */
  readonly next: CountKey | null;
  /** Buckets that start before it are deleted for their age; null: none is. */
  readonly keptFromMs: number | null;
}

/** A page ends after about this time, however little it has found. */
const MAX_PAGE_MS = 100;
const FIRST_BUCKETS = 8;
const DAY_SECONDS = 86_400;
const HOUR_MS = 3_600_000;

/**
 * At most `limit` rows by start, lottery and type. A page with fewer need not be the last one.
 * @throws {pg.DatabaseError} `22023` for a zone that PostgreSQL does not know.
 */
export async function readCounts(
  connection: Connection,
  query: CountsQuery,
  maxMs = MAX_PAGE_MS,
): Promise<CountsPage> {
  const state = await isMigrated(connection) ? await readState(connection, query) : null;
  if (state === null) return { rows: [], next: null, keptFromMs: null };
  const { keptFromMs } = state;
  const { toMs, limit, stepSeconds } = query;
  const endMs = performance.now() + maxMs;
  const rows: CountRow[] = [];
  let buckets = stepSeconds > HOUR_MS / 1000 ? 1 : FIRST_BUCKETS;
  let after: CountKey | null = query.after ?? keyAt(query.fromMs);
  if (keptFromMs !== null && keptFromMs > after.startMs) after = keyAt(keptFromMs);
  for (let isEmpty = true; after.startMs < toMs;) {
    const inOrder = isInOrder(query, state, after.startMs);
    if (isEmpty && !inOrder) after = await skipGap(connection, query, after);
    if (after === null) return { rows, next: null, keptFromMs };
    const begunMs = performance.now();
    const room = limit - rows.length;
    // The first may only be the rest of a bucket.
    const spanEndMs = after.startMs + (buckets + 1) * stepSeconds * 1000;
    const span = await readSpan(connection, query, {
      state,
      after,
      toMs: inOrder ? toMs : Math.min(toMs, spanEndMs),
      limit: room + 1, // one more, if more exist
    });
    for (const row of span.slice(0, room)) rows.push(row);
    if (span.length > room) return { rows, next: keyOf(rows.at(-1)!), keptFromMs };
    after = keyAt(inOrder ? toMs : spanEndMs);
    const [tookMs, leftMs] = [performance.now() - begunMs, endMs - performance.now()];
    if (leftMs <= 0) break;
    isEmpty = span.length === 0;
    buckets *= growthOf({ tookMs, leftMs, rows: span.length, room: limit - rows.length });
    buckets = Math.ceil(buckets);
  }
  return { rows, next: after.startMs < toMs ? after : null, keptFromMs };
}

/** How many times as many buckets the next span may have, to fill what is left of page and time. */
function growthOf(
  { tookMs, leftMs, rows, room }: {
    readonly tookMs: number;
    readonly leftMs: number;
    readonly rows: number;
    readonly room: number;
  },
): number {
  return Math.min(MAX_GROWTH, leftMs / tookMs, (room + 1) / rows);
}

/** What is measured of a short span says little about a long one. */
const MAX_GROWTH = 8;

/** To before the next bucket in which any of the lotteries was counted; null if there is none. */
async function skipGap(
  connection: Connection,
  { stepSeconds, lotteryNames, toMs }: CountsQuery,
  after: CountKey,
): Promise<CountKey | null> {
  // A bucket begins before its hours, and ends after the range.
  const longestMs = stepSeconds * 1000 + (stepSeconds >= DAY_SECONDS ? HOUR_MS : 0);
  const hourMs = await nextCountedHour(connection, lotteryNames, {
    fromMs: after.startMs,
    toMs: toMs + longestMs,
  });
  if (hourMs === null) return null;
  return hourMs - longestMs > after.startMs ? keyAt(hourMs - longestMs) : after;
}

/** The place before everything that starts at a time, because no name is empty. */
function keyAt(startMs: number): CountKey {
  return { startMs, lotteryName: "", eventType: "" };
}

function keyOf({ startMs, lotteryName, eventType }: CountRow): CountKey {
  return { startMs, lotteryName, eventType };
}
