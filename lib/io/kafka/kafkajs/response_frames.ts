/**
 * Assembles received bytes into whole responses.
 *
 * Each byte is copied once, into its response. kafkajs keeps pieces of 64 kB and joins them:
 * several hundred megabytes of garbage while it reads fast.
 * @module
 */

import { Buffer } from "node:buffer";

/** Size of the length that precedes a response. */
const LENGTH_BYTES = 4;
/** Room for more is made as it arrives: something other than a broker may announce any length. */
const FIRST_ROOM = 32 << 20;
/** A response has a few megabytes, or one batch, whose default limit is lower (socket.request.max.bytes). */
const MAX_BYTES = 128 << 20;

export class ResponseFrames {
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthBytes = 0;
  #response = Buffer.alloc(0);
  #filled = 0;

  /**
   * Takes received bytes, which may be overwritten afterwards.
   * @returns the responses that are complete now.
   * @throws {RangeError} for a length that no response has: the other side is no broker.
   */
  take(bytes: Uint8Array): Buffer[] {
    const responses: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      at = this.#lengthBytes < LENGTH_BYTES ? this.#takeLength(bytes, at) : this.#fill(bytes, at);
      if (this.#lengthBytes < LENGTH_BYTES || this.#filled < this.#size) continue;
      responses.push(this.#response);
      this.#lengthBytes = 0;
    }
    return responses;
  }

  get #size(): number {
    return this.#length.readInt32BE();
  }

  #takeLength(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + LENGTH_BYTES - this.#lengthBytes);
    this.#length.set(bytes.subarray(at, end), this.#lengthBytes);
    this.#lengthBytes += end - at;
    if (this.#lengthBytes === LENGTH_BYTES) {
      if (this.#size < 0 || this.#size > MAX_BYTES) {
        throw new RangeError(`a response cannot have ${this.#size} bytes`);
      }
      this.#response = Buffer.allocUnsafeSlow(Math.min(this.#size, FIRST_ROOM));
      this.#filled = 0;
    }
    return end;
  }

  #fill(bytes: Uint8Array, at: number): number {
    if (this.#filled === this.#response.length) this.#makeRoom();
    const end = Math.min(bytes.length, at + this.#response.length - this.#filled);
    this.#response.set(bytes.subarray(at, end), this.#filled);
    this.#filled += end - at;
    return end;
  }

  #makeRoom(): void {
    const room = Buffer.allocUnsafeSlow(Math.min(this.#size, this.#response.length * 2));
    room.set(this.#response);
    this.#response = room;
  }
}
