/**
 * Dead letters one by one, as tests compare them, and as the columns that a commit has.
 * @module
 */

import type { DeadLetter } from "../../lib/core/dead_letter.ts";
import { DeadLetters } from "../../lib/core/dead_letters.ts";

export function toColumns(letters: Iterable<DeadLetter>): DeadLetters {
  const columns = new DeadLetters();
  for (const { partition, offset, reason, recordTimestampMs, key, value, headers } of letters) {
    const bytes = new Uint8Array([...key ?? [], ...value ?? []]);
    const keyEnd = key?.length ?? 0;
    columns.add({
      offset,
      timestampMs: recordTimestampMs,
      bytes,
      keyStart: key ? 0 : -1,
      keyEnd,
      valueStart: value ? keyEnd : -1,
      valueEnd: bytes.length,
      headers: () => headers,
    }, { partition, reason });
  }
  return columns;
}

export function toLetters(columns: DeadLetters): DeadLetter[] {
  const { partitions, offsets, reasons, recordTimestampsMs, contents, headers } = columns;
  let at = 0;
  const take = (length: number) => Number.isNaN(length) ? null : contents.slice(at, at += length);
  return reasons.map((reason, n) => ({
    partition: partitions[n]!,
    offset: offsets[n]!,
    reason,
    recordTimestampMs: recordTimestampsMs[n]!,
    key: take(columns.keyLengths[n]!),
    value: take(columns.valueLengths[n]!),
    headers: headers.get(n) ?? [],
  }));
}
