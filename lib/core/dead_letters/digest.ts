/**
 * The hash of a dead letter's content, which the database computes too (`letter_sha256` of the
 * migrations): so a stored letter can be compared with a record without being read.
 * @module
 */

import type { Cut, NewSha256, RecordCursor, RecordHeader } from "../records/record_batch.ts";
import { storableTimestamp } from "./dead_letter.ts";

/** SHA-256 of everything that a dead letter keeps of the cursor's record. */
export function letterSha256(
  cursor: Pick<RecordCursor, "timestampMs" | "key" | "value" | "headers" | "cut">,
  newSha256: NewSha256,
): Uint8Array {
  const headers = cursor.headers();
  const cut = cursor.cut(newSha256);
  const content = new Content(
    [int64(storableTimestamp(cursor.timestampMs)), cursor.key(), cursor.value()],
    headers,
    cut ? partsOf(cut) : [],
  );
  const hash = newSha256();
  hash.update(content.bytes);
  return hash.digest();
}

type Part = Uint8Array | null;

function partsOf({ keySize, valueSize, headersSize, sha256 }: Cut): Part[] {
  return [int64(keySize), int64(valueSize), int64(headersSize), sha256];
}

/** Parts, each with its length, so that their boundaries count too. */
class Content {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(parts: readonly Part[], headers: readonly RecordHeader[], after: readonly Part[]) {
    const headerParts = headers.flatMap(({ key, value }) => [key, value]);
    const size = [...parts, ...headerParts, ...after].reduce(
      (sum, part) => sum + 5 + (part?.length ?? 0),
      4,
    );
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    for (const part of parts) this.#part(part);
    this.#int32(headers.length);
    for (const part of headerParts) this.#part(part);
    for (const part of after) this.#part(part);
    this.bytes = this.bytes.subarray(0, this.#at);
  }

  #part(part: Part): void {
    this.bytes[this.#at++] = part === null ? 0 : 1;
    if (part === null) return;
    this.#int32(part.length);
    this.bytes.set(part, this.#at);
    this.#at += part.length;
  }

  #int32(value: number): void {
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }
}

function int64(value: number | null): Part {
  if (value === null) return null;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, Math.floor(value / 2 ** 32)); // a BigInt would take ten times as long
  view.setUint32(4, value); // modulo 2^32
  return bytes;
}
