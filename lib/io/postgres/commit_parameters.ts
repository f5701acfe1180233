/**
 * A commit as parameters of `commit_counts`, in its order: a column for each property.
 * @module
 */

import type { Buffer } from "node:buffer";
import type { DeadLetters } from "../../core/dead_letters/buffer.ts";
import { storableTimestamp } from "../../core/dead_letters/dead_letter.ts";
import type { Cut, RecordHeader } from "../../core/records/record_batch.ts";
import type { Commit } from "../../core/windowing/pending.ts";
import { bigints, booleans, byteas, integers, jsonbs, texts } from "./session/arrays.ts";

export function commitParameters({ partitions, counts, deadLetters }: Commit): Buffer[] {
  const { keys, values } = contentColumns(deadLetters);
  const cuts = cutsColumn(deadLetters);
  return [
    integers(partitions.map(({ partition }) => partition)),
    bigints(partitions.map(({ expectedOffset }) => expectedOffset)),
    bigints(partitions.map(({ nextOffset }) => nextOffset)),
    bigints(partitions.map(({ counted }) => counted)),
    bigints(partitions.map(({ dead }) => dead)),
    bigints(partitions.map(({ maxEventTimeMs }) => maxEventTimeMs)),
    bigints(partitions.map(({ lastBatch }) => lastBatch?.lastOffset ?? null)),
    bigints(partitions.map(({ lastBatch }) => lastBatch?.crc ?? null)),
    booleans(partitions.map(({ caughtUp }) => caughtUp)),

    bigints(counts.map(({ windowStartMs }) => windowStartMs)),
    texts(counts.map(({ lotteryName }) => lotteryName)),
    texts(counts.map(({ eventType }) => eventType)),
    bigints(counts.map(({ count }) => count)),

    integers(deadLetters.partitions),
    bigints(deadLetters.offsets),
    texts(deadLetters.reasons),
    bigints(deadLetters.recordTimestampsMs.map((ms) => storableTimestamp(ms) ?? NaN)), // becomes null
    byteas(keys),
    byteas(values),
    jsonbs(headersColumn(deadLetters)),
    bigints(cuts.map((cut) => cut?.keySize ?? null)),
    bigints(cuts.map((cut) => cut?.valueSize ?? null)),
    bigints(cuts.map((cut) => cut?.headersSize ?? null)),
    byteas(cuts.map((cut) => cut?.sha256 ?? null)),
  ];
}

/** Key and value of each letter, or null. */
function contentColumns({ contents, keyLengths, valueLengths, length }: DeadLetters) {
  let end = 0;
  const next = (size: number) => Number.isNaN(size) ? null : contents.subarray(end, end += size);
  const keys: (Uint8Array | null)[] = [];
  const values: (Uint8Array | null)[] = [];
  for (let letter = 0; letter < length; letter++) {
    keys.push(next(keyLengths[letter]!));
    values.push(next(valueLengths[letter]!));
  }
  return { keys, values };
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
