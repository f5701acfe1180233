/**
 * The lines of a stream of bytes; of a long one no more than a part is held.
 * @module
 */

import { type Cut, type Hash, MAX_PART_BYTES } from "../../core/records/record_batch.ts";
import { newSha256 } from "../sha256.ts";

export interface Line {
  readonly value: Uint8Array;
  /** What is missing of a line that is too long. */
  readonly cut: Cut | null;
}

const LINE_FEED = 0x0a;

/**
 * Yields the lines that end in each chunk of the stream; the last one needs no line feed.
 * Ends early when the signal aborts, also while waiting for the stream.
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Line[]> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const begun = new BegunLine();
  try {
    for (;;) {
      const { done, value: chunk } = await reader.read();
      if (done) break;
      const lines: Line[] = [];
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        begun.add(chunk.subarray(start, end));
        lines.push(begun.end());
        start = end + 1;
      }
      begun.add(chunk.subarray(start));
      yield lines;
    }
    if (begun.size > 0 && !signal?.aborted) yield [begun.end()];
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** A line whose end has not come yet. */
class BegunLine {
  size = 0;
  #held: Uint8Array = new Uint8Array();
  /** Of a line that is too long. */
  #hash: Hash | null = null;

  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (this.#hash) {
      this.#hash.update(bytes);
      return;
    }
    const before = this.#held;
    const room = MAX_PART_BYTES - before.length;
    if (before.length === 0 && bytes.length <= room) {
      this.#held = bytes; // usually a whole line, which needs no copy
      return;
    }
    this.#held = new Uint8Array(before.length + Math.min(room, bytes.length));
    this.#held.set(before);
    this.#held.set(bytes.subarray(0, room), before.length);
    if (bytes.length <= room) return;
    this.#hash = newSha256();
    this.#hash.update(this.#held);
    this.#hash.update(bytes.subarray(room));
  }

  /** The line, after which another begins. */
  end(): Line {
    const [value, hash, valueSize] = [this.#held, this.#hash, this.size];
    this.size = 0;
    this.#held = new Uint8Array();
    this.#hash = null;
    const cut = hash && { keySize: null, valueSize, headersSize: 0, sha256: hash.digest() };
    return { value, cut };
  }
}
