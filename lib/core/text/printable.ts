/**
 * Untrusted bytes and text on a terminal: whatever would move the cursor, change colours
 * or turn the reading direction is shown as an escape instead.
 * @module
 */

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What a terminal would act on, or cannot show. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** The text on one line, with control and format characters, line separators and lone surrogates escaped. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    return ESCAPES[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map(printable);
}

/** Equivalent JSON that can be shown: strings have escapes for what a terminal would act on. */
export function printableJson(value: unknown, indentation?: number): string {
  return JSON.stringify(value, null, indentation).replace(
    UNPRINTABLE,
    (character) => character === "\n" ? character : unicodeEscapes(character),
  );
}

/** JSON's escapes: one for each UTF-16 unit. */
function unicodeEscapes(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text, or byte by byte if they are no UTF-8. */
export function printableBytes(bytes: Uint8Array): string {
  try {
    return printable(UTF8.decode(bytes));
  } catch {
    return Array.from(bytes, (byte) => isVisible(byte) ? String.fromCharCode(byte) : hex(byte))
      .join("");
  }
}

const ROW_LENGTH = 16;

/** Lines of `offset  16 bytes in hexadecimal  |the same as ASCII|`. */
export function hexDump(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / ROW_LENGTH) }, (_, row) => {
    const start = row * ROW_LENGTH;
    const part = Array.from(bytes.subarray(start, start + ROW_LENGTH));
    const digits = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = part.map((byte) => isVisible(byte) ? String.fromCharCode(byte) : ".").join("");
    const offset = start.toString(16).padStart(8, "0");
    return `${offset}  ${digits.padEnd(3 * ROW_LENGTH - 1)}  |${ascii}|`;
  });
}

/** ASCII that has a shape, and the space. */
function isVisible(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
