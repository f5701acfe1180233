/**
 * Reads an event out of JSON bytes without making text or objects of them.
 *
 * It understands nearly all events: one flat object without escapes, with its fields in
 * any order, spaces, and other fields. It leaves any other value to JSON.parse. What it
 * reads equals what JSON.parse would.
 * An event costs 0.15 µs, where a slice of text and JSON.parse cost 0.6 µs.
 * @module
 */

import { NameCache, type NameCacheOptions } from "./name_cache.ts";

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;

/** Fields, as bits of those that were seen. */
const OTHER = 0;
const LOTTERY_NAME = 1;
const EVENT_TYPE = 2;
const TIMESTAMP = 4;
const ALL = LOTTERY_NAME | EVENT_TYPE | TIMESTAMP;

/** The longest key with its closing quote, in bytes. */
const LONGEST_KEY = 13;
/** More digits may not be exact as a number. */
const MAX_DIGITS = 15;
const UPPER_DIGITS = 7;

/** Four or two characters as the number that their bytes are. */
const word = (text: string) =>
  [...text].reduce((number, character) => (number << 8) | character.charCodeAt(0), 0);

const [LOTT, ERY_, NAME] = [word("lott"), word("ery_"), word("name")];
const [EVEN, T_TY, PE] = [word("even"), word("t_ty"), word("pe")];
const [TIME, STAM, P_QUOTE] = [word("time"), word("stam"), word('p"')];

const LITERALS = ["true", "false", "null"].map((text) => new TextEncoder().encode(text));

export interface EventScannerOptions {
  readonly decodeLotteryName: NameCacheOptions["decode"];
  readonly decodeEventType: NameCacheOptions["decode"];
}

/** After `scan()` has returned true its fields hold the event. */
export class EventScanner {
  lotteryName = "";
  eventType = "";
  timestamp = 0;
  readonly #lotteryNames: NameCache;
  readonly #eventTypes: NameCache;
  #bytes: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(this.#bytes.buffer);

  constructor({ decodeLotteryName, decodeEventType }: EventScannerOptions) {
    this.#lotteryNames = new NameCache({ decode: decodeLotteryName });
    this.#eventTypes = new NameCache({ decode: decodeEventType });
  }

  /**
   * Reads the value in `bytes` from `start` to `end`.
   * @returns false if it has to be left to JSON.parse.
   */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    // The last brace ends every run below that is not in a string, so those need not check for `end`.
    if (bytes[start] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) return false;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    let seen = 0;
    for (let at = start + 1;;) {
      at = afterSpaces(bytes, at);
      if (bytes[at] !== QUOTE) return false;
      at++;
      const field = this.#field(at);
      at = afterKey(bytes, at, end, field);
      if (at < 0) return false;
      at = afterSpaces(bytes, at);
      if (bytes[at] !== COLON) return false;
      at = afterSpaces(bytes, at + 1);

      at = field === OTHER
        ? afterOtherValue(bytes, at, end)
        : field === TIMESTAMP
        ? this.#readTimestamp(at)
        : this.#readName(at, end, field);
      if (at < 0) return false;
      seen |= field;

      at = afterSpaces(bytes, at);
      const byte = bytes[at];
      if (byte === CLOSE_BRACE) return at === end - 1 && seen === ALL;
      if (byte !== COMMA) return false;
      at++;
    }
  }

  /** The field whose key begins at `at`, compared four bytes at once. */
  #field(at: number): number {
    const view = this.#view;
    if (at + LONGEST_KEY > view.byteLength) return OTHER; // and afterKey() refuses it
    const first = view.getInt32(at);
    if (first === LOTT) {
      return view.getInt32(at + 4) === ERY_ && view.getInt32(at + 8) === NAME &&
          view.getUint8(at + 12) === QUOTE
        ? LOTTERY_NAME
        : OTHER;
    }
    if (first === EVEN) {
      return view.getInt32(at + 4) === T_TY && view.getInt16(at + 8) === PE &&
          view.getUint8(at + 10) === QUOTE
        ? EVENT_TYPE
        : OTHER;
    }
    return first === TIME && view.getInt32(at + 4) === STAM && view.getInt16(at + 8) === P_QUOTE
      ? TIMESTAMP
      : OTHER;
  }

  /** In two halves, each a small integer: as one floating-point number it would take three times as long. */
  #readTimestamp(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let byte = bytes[at]!;
    if (byte === ZERO) return -1;
    let upper = 0;
    for (; at - start < UPPER_DIGITS && byte >= ZERO && byte <= NINE; byte = bytes[++at]!) {
      upper = (upper * 10 + (byte - ZERO)) | 0;
    }
    let lower = 0;
    let scale = 1;
    for (; byte >= ZERO && byte <= NINE; byte = bytes[++at]!) {
      if (at - start >= MAX_DIGITS) return -1;
      lower = (lower * 10 + (byte - ZERO)) | 0;
      scale = (scale * 10) | 0;
    }
    if (at === start || byte === DOT || (byte | LOWER_CASE) === LETTER_E) return -1;
    this.timestamp = upper * scale + lower;
    return at;
  }

  #readName(quoteAt: number, end: number, field: number): number {
    const bytes = this.#bytes;
    if (bytes[quoteAt] !== QUOTE) return -1;
    const start = quoteAt + 1;
    let at = start;
    let hash = 0;
    for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
      if (byte < 0x20 || byte === BACKSLASH || at >= end) return -1;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (at >= end) return -1;
    hash ^= hash >>> 15;
    const names = field === LOTTERY_NAME ? this.#lotteryNames : this.#eventTypes;
    const name = names.get(bytes, start, at, hash);
    if (name === null) return -1;
    if (field === LOTTERY_NAME) this.lotteryName = name;
    else this.eventType = name;
    return at + 1;
  }
}

// Each of these returns the position behind what it reads, or −1 if it cannot say.

function afterSpaces(bytes: Uint8Array, at: number): number {
  for (let byte = bytes[at]!; byte <= 0x20; byte = bytes[++at]!) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
  }
  return at;
}

function afterKey(bytes: Uint8Array, at: number, end: number, field: number): number {
  switch (field) {
    case LOTTERY_NAME:
      return at + 13;
    case EVENT_TYPE:
      return at + 11;
    case TIMESTAMP:
      return at + 10;
    default: // too near the end of the bytes to tell whether it is another key
      return at + LONGEST_KEY > bytes.length ? -1 : afterText(bytes, at, end);
  }
}

/** Behind the closing quote of ASCII text: other bytes would have to be valid UTF-8. */
function afterText(bytes: Uint8Array, at: number, end: number): number {
  for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
    if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH || at >= end) return -1;
  }
  return at < end ? at + 1 : -1;
}

function afterOtherValue(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]!;
  if (byte === QUOTE) return afterText(bytes, at + 1, end);
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return afterNumber(bytes, at);
  const literal = LITERALS.find((literal) => literal[0] === byte);
  if (!literal?.every((byte, index) => bytes[at + index] === byte)) return -1;
  return at + literal.length;
}

function afterNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  at = bytes[at] === ZERO ? at + 1 : afterDigits(bytes, at);
  if (at >= 0 && bytes[at] === DOT) at = afterDigits(bytes, at + 1);
  if (at >= 0 && (bytes[at]! | LOWER_CASE) === LETTER_E) {
    at++;
    if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
    at = afterDigits(bytes, at);
  }
  return at;
}

function afterDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at > start ? at : -1;
}
