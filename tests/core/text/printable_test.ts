import fc from "fast-check";
import assert from "node:assert/strict";
import {
  hexDump,
  printable,
  printableBytes,
  printableJson,
  printableLines,
} from "../../../lib/core/text/printable.ts";
import { utf8 } from "../records/batches.ts";

Deno.test("printable() leaves text as it is and escapes what a terminal would obey", () => {
  for (
    const [text, shown] of [
      ["lötto_€ 🍀", "lötto_€ 🍀"],
      ["a\nb\tc\r", "a\\nb\\tc\\r"],
      ["\x1b[31mred", "\\u{1b}[31mred"],
      ["\x9b31m", "\\u{9b}31m"], // CSI as one character
      ["\u202egnp.exe", "\\u{202e}gnp.exe"], // right to left from here
      ["nul\0bell\x07", "nul\\u{0}bell\\u{7}"],
      ["\ud800", "\\u{d800}"],
    ] as const
  ) assert.equal(printable(text), shown);
});

/** Any text, and often what a terminal would obey. */
const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\n", "\x1b", "\x9b", "\u2028", "\u202e", "\ud800", "\u{e0001}", '"', "\\"),
  ),
});
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

Deno.test("printable() leaves nothing that a terminal would obey, and escapes nothing twice", () => {
  fc.assert(fc.property(text, (text) => {
    assert.doesNotMatch(printable(text), UNPRINTABLE);
    assert.equal(printable(printable(text)), printable(text));
  }));
});

Deno.test("printableLines() keeps lines apart", () => {
  assert.deepEqual(printableLines("a\x1b\r\nb\tc\n"), ["a\\u{1b}", "b\\tc", ""]);
});

Deno.test("printableJson() is the same JSON, on one line, with nothing that a terminal would obey", () => {
  fc.assert(fc.property(fc.dictionary(text, fc.oneof(text, fc.integer())), (value) => {
    const json = printableJson(value);
    assert.doesNotMatch(json, UNPRINTABLE);
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
  }));
  assert.equal(printableJson({ a: "\u{e0001}" }), '{"a":"\\udb40\\udc01"}');
  assert.equal(printableJson(["\x9b"], 2), '[\n  "\\u009b"\n]');
});

Deno.test("printableBytes() never lets a control character through, whatever the bytes", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.doesNotMatch(printableBytes(bytes), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
  }));
});

Deno.test("printableBytes() shows bytes that are no UTF-8 one by one", () => {
  assert.equal(printableBytes(new Uint8Array([0x22, 0xc3, 0x28, 0x22])), '"\\xc3("');
  assert.equal(printableBytes(utf8("größe")), "größe");
});

Deno.test("hexDump() shows sixteen bytes a line, and what of them is ASCII", () => {
  assert.deepEqual(hexDump(utf8("0123456789abcdef\x1b[0m")), [
    "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|",
    "00000010  1b 5b 30 6d                                      |.[0m|",
  ]);
  assert.deepEqual(hexDump(new Uint8Array()), []);
});
