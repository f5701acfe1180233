/**
 * Numbers of variable length, as records have them: seven bits a byte, the lowest first, and
 * zig-zag, so that small negative numbers are short too.
 * @see https://protobuf.dev/programming-guides/encoding/#signed-ints
 * @module
 */

/** Most bytes of a number. */
export const MAX_VARINT_BYTES = 10;

/** Reads numbers one after the other; one that the bytes end in ends behind them. */
export class VarintReader {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #malformed: () => Error;

  /** @param malformed what to throw for a number that is too long. */
  constructor(bytes: Uint8Array, malformed: () => Error) {
    this.bytes = bytes;
    this.#malformed = malformed;
  }

  int32(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw this.#malformed();
      byte = bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** A number of up to 64 bits, exact below 2^53. */
  int64(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (scale > 2 ** 63) throw this.#malformed();
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
