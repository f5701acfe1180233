/**
 * Bytes of a name to its text, without making text again for a name seen before.
 * @module
 */

/** Only an attack makes longer runs of names with the same hash, which would be searched one by one. */
const MAX_PROBES = 16;
const FIRST_SLOTS = 1 << 10;
const FIRST_BYTES = 1 << 14;
/** More names than this are forgotten, all at once, so that memory stays bounded. */
const MAX_NAMES = 1 << 17;
const MAX_BYTES = 4 << 20;

interface Name {
  readonly hash: number;
  /** Where its bytes begin among those of all names. */
  readonly start: number;
  readonly length: number;
  readonly text: string;
}

export interface NameCacheOptions {
  /** Text of the name, or null if it may not be one; called once for each name that is kept. */
  readonly decode: (bytes: Uint8Array) => string | null;
}

/** A hash table from names as bytes to names as text. */
export class NameCache {
  readonly #decode: NameCacheOptions["decode"];
  #slots: (Name | undefined)[] = new Array(FIRST_SLOTS);
  #names = 0;
  /** The bytes of all names, one after the other: an array each would take ten times as much. */
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #length = 0;

  constructor({ decode }: NameCacheOptions) {
    this.#decode = decode;
  }

  /**
   * Text of the name in `bytes` from `start` to `end`, or null if it may not be one or cannot be kept.
   * @param hash depends on these bytes alone.
   */
  get(bytes: Uint8Array, start: number, end: number, hash: number): string | null {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & mask) {
      const name = slots[slot];
      if (name === undefined) return this.#add(bytes.subarray(start, end), hash);
      if (name.hash === hash && this.#isEqual(name, bytes, start, end)) return name.text;
      probes++;
    }
    return null;
  }

  #isEqual({ start: nameStart, length }: Name, bytes: Uint8Array, start: number, end: number) {
    if (length !== end - start) return false;
    const names = this.#bytes;
    for (let at = start, nameAt = nameStart; at < end; at++, nameAt++) {
      if (names[nameAt] !== bytes[at]) return false;
    }
    return true;
  }

  #add(bytes: Uint8Array, hash: number): string | null {
    const text = this.#decode(bytes);
    if (text === null) return null;
    if (this.#names >= MAX_NAMES || this.#length + bytes.length > MAX_BYTES) this.#clear();
    else if (this.#names * 2 >= this.#slots.length) this.#grow();
    this.#insert({ hash, start: this.#keep(bytes), length: bytes.length, text });
    this.#names++;
    return text;
  }

  /** Copies the bytes behind those of the other names. @returns where they begin. */
  #keep(bytes: Uint8Array): number {
    const start = this.#length;
    this.#length += bytes.length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, start);
    return start;
  }

  #clear(): void {
    this.#slots = new Array(FIRST_SLOTS);
    this.#names = 0;
    this.#length = 0;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Array(before.length * 2);
    for (const name of before) if (name) this.#insert(name);
  }

  #insert(name: Name): void {
    const mask = this.#slots.length - 1;
    let slot = name.hash & mask;
    while (this.#slots[slot] !== undefined) slot = (slot + 1) & mask;
    this.#slots[slot] = name;
  }
}
