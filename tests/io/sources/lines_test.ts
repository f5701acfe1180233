import fc from "fast-check";
import assert from "node:assert/strict";
import { MAX_PART_BYTES } from "../../../lib/core/records/record_batch.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { type Line, linesOf } from "../../../lib/io/sources/lines.ts";

/** Lines of a text that comes in parts of these lengths, over and over. */
async function linesIn(bytes: Uint8Array, lengths: readonly number[]): Promise<Line[]> {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    chunks.push(bytes.subarray(at, at += lengths[turn % lengths.length]!));
  }
  return (await Array.fromAsync(linesOf(ReadableStream.from(chunks)))).flat();
}

function sha256(bytes: Uint8Array): Uint8Array {
  const hash = newSha256();
  hash.update(bytes);
  return new Uint8Array(hash.digest());
}

Deno.test("linesOf() gives the same lines wherever the stream is cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.stringMatching(/^[a-z]{0,9}$/), { minLength: 1 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
    async (lines, lengths) => {
      const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
      for (const text of [bytes, bytes.subarray(0, -1)]) {
        const found = await linesIn(text, lengths);
        const last = text === bytes || lines.at(-1) !== "" ? lines.length : lines.length - 1;
        assert.deepEqual(
          found.map(({ value }) => new TextDecoder().decode(value)),
          lines.slice(0, last),
        );
        assert.ok(found.every(({ cut }) => cut === null));
      }
    },
  ));
});

for (const size of [MAX_PART_BYTES, MAX_PART_BYTES + 1, 5_000_000]) {
  Deno.test(`linesOf() holds no more than a megabyte of a line of ${size} bytes`, async () => {
    const line = new Uint8Array(size).map((_, at) => 32 + at % 90);
    const text = new Uint8Array([...new TextEncoder().encode("a\n"), ...line, 10, 98]);
    for (const lengths of [[1 << 30], [16_384], [1, MAX_PART_BYTES]]) {
      const [before, found, after] = await linesIn(text, lengths);
      assert.deepEqual([before!.value, after!.value], [new Uint8Array([97]), new Uint8Array([98])]);
      assert.deepEqual(found!.value, line.subarray(0, MAX_PART_BYTES));
      if (size <= MAX_PART_BYTES) assert.equal(found!.cut, null);
      else {
        assert.equal(found!.cut!.valueSize, size);
        assert.deepEqual(new Uint8Array(found!.cut!.sha256), sha256(line));
      }
    }
  });
}
