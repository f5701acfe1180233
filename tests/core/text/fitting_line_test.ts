import fc from "fast-check";
import assert from "node:assert/strict";
import { fittingLine, type LinePart } from "../../../lib/core/text/fitting_line.ts";

const PARTS: readonly LinePart[] = [
  { text: "first", rank: 1, color: "yellow" },
  { text: "least", rank: 3 },
  { text: "last", rank: 2, color: "cyan" },
];

Deno.test("fittingLine() leaves out what is least important, and keeps the order", () => {
  const at = (columns: number) => fittingLine(PARTS, { columns, hasColors: false });
  assert.equal(at(20), "first · least · last");
  assert.equal(at(19), "first · last");
  assert.equal(at(11), "first");
  assert.equal(at(4), "fir…");
});

Deno.test("fittingLine() fits any terminal, and colours take no room", () => {
  const part = fc.record({ text: fc.string(), rank: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), fc.integer({ min: 1, max: 200 }), (
      parts,
      columns,
    ) => {
      const plain = fittingLine(parts, { columns, hasColors: false });
      assert.ok(plain.length <= columns);
      const colored = fittingLine(parts, { columns, hasColors: true });
      assert.equal(colored.replaceAll("\x1b[2m", "").replaceAll("\x1b[0m", ""), plain);
    }),
  );
});

Deno.test("fittingLine() colours parts if it may", () => {
  assert.equal(
    fittingLine(PARTS, { columns: 12, hasColors: true }),
    "\x1b[33mfirst\x1b[0m\x1b[2m · \x1b[0m\x1b[36mlast\x1b[0m",
  );
});
