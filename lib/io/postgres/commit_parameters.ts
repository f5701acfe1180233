/**
 * A commit as parameters of `store_commit`: columns of what belongs together, in its order.
 * @module
 */

import { Buffer } from "node:buffer";
import type { DeadLetters } from "../../core/dead_letters/buffer.ts";
import { storableTimestamp } from "../../core/dead_letters/dead_letter.ts";
import type { Cut, RecordHeader } from "../../core/records/record_batch.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import { bigints, booleans, byteas, integers, jsonbs, texts } from "./session/arrays.ts";

/** @param latestMs no event time is stored as one that is greater, in milliseconds since the epoch. */
export function commitParameters(commit: Commit, latestMs: number): (Buffer | string)[] {
  return [
    ...partitionColumns(commit, latestMs),
    ...countColumns(commit),
    ...deadLetterColumns(commit),
    JSON.stringify(Object.fromEntries(commit.deadLetters.countByReason())),
  ];
}

/**
 * Starts of windows that were counted into beyond the greatest event time that is stored: of these
 * `audit` cannot tell by it whether they can be recounted.
 */
export function windowsAhead({ counts }: Commit, latestMs: number): number[] {
  const starts = counts.map(({ windowStartMs }) => windowStartMs);
  return [...new Set(starts.filter((startMs) => startMs > latestMs))];
}

function partitionColumns({ partitions }: Commit, latestMs: number): Buffer[] {
  return [
    integers(partitions.map(({ partition }) => partition)),
    bigints(partitions.map(({ expectedOffset }) => expectedOffset)),
    bigints(partitions.map(({ nextOffset }) => nextOffset)),
    bigints(partitions.map(({ counted }) => counted)),
    bigints(partitions.map(({ dead }) => dead)),
    // Capped, so that one clock that is wrong cannot close every window.
    bigints(
      partitions.map(({ maxEventTimeMs }) =>
        maxEventTimeMs === null ? null : Math.min(maxEventTimeMs, latestMs)
      ),
    ),
    bigints(partitions.map(({ lastBatch }) => lastBatch?.lastOffset ?? null)),
    bigints(partitions.map(({ lastBatch }) => lastBatch?.crc ?? null)),
    booleans(partitions.map(({ caughtUp }) => caughtUp)),
  ];
}

function countColumns({ counts }: Commit): Buffer[] {
  return [
    bigints(counts.map(({ windowStartMs }) => windowStartMs)),
    texts(counts.map(({ lotteryName }) => lotteryName)),
    texts(counts.map(({ eventType }) => eventType)),
    bigints(counts.map(({ count }) => count)),
  ];
}

function deadLetterColumns({ deadLetters }: Commit): Buffer[] {
  const { contents } = deadLetters;
  const cuts = cutsColumn(deadLetters);
  return [
    integers(deadLetters.partitions),
    bigints(deadLetters.offsets),
    texts(deadLetters.reasons),
    bigints(deadLetters.recordTimestampsMs.map((ms) => storableTimestamp(ms) ?? NaN)), // becomes null
    integers(deadLetters.keyLengths),
    integers(deadLetters.valueLengths),
    jsonbs(headersColumn(deadLetters)),
    bigints(cuts.map((cut) => cut?.keySize ?? null)),
    bigints(cuts.map((cut) => cut?.valueSize ?? null)),
    bigints(cuts.map((cut) => cut?.headersSize ?? null)),
    byteas(cuts.map((cut) => cut?.sha256 ?? null)),
    Buffer.from(contents.buffer, contents.byteOffset, contents.length),
  ];
}

/**
 * The headers of each letter up to the last one that has some; null for none, because JSON is
 * what takes PostgreSQL longest to read.
 */
function headersColumn(letters: DeadLetters): (string | null)[] {
  const column = Array.from(
    letters.headers(),
    (headers) => headers.length === 0 ? null : headersJson(headers),
  );
  return column.slice(0, column.findLastIndex((headers) => headers !== null) + 1);
}

/** What each letter has lost, up to the last one that has lost something. */
function cutsColumn({ cuts }: DeadLetters): (Cut | null)[] {
  const column: (Cut | null)[] = [];
  for (const [letter, cut] of cuts) {
    while (column.length < letter) column.push(null);
    column.push(cut);
  }
  return column;
}

/** Headers as JSON that loses nothing: a key that PostgreSQL's text cannot hold is kept as base64. */
function headersJson(headers: readonly RecordHeader[]): string {
  return JSON.stringify(headers.map(({ key, value }) => ({
    ...headerKey(key),
    value_base64: value && value.toBase64(),
  })));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function headerKey(key: Uint8Array): { key: string } | { key_base64: string } {
  if (!key.includes(0)) {
    try {
      return { key: UTF8.decode(key) };
    } catch { /* not UTF-8 */ }
  }
  return { key_base64: key.toBase64() };
}
