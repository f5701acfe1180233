import fc from "fast-check";
import assert from "node:assert/strict";
import { NameCache } from "../../../lib/core/windowing/name_cache.ts";
import { utf8 } from "../records/batches.ts";

const decoder = new TextDecoder();

/** A cache, and how often it has decoded a name. */
function makeCache() {
  const seen = { decoded: 0 };
  const cache = new NameCache({
    decode: (bytes) => {
      seen.decoded++;
      return decoder.decode(bytes);
    },
  });
  return { cache, seen };
}

Deno.test("get() gives the name that the bytes are, whatever their hash is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.integer({ min: -3, max: 3 }))),
      (names) => {
        const { cache } = makeCache();
        const hashes = new Map<string, number>(names);
        for (const [name] of [...names, ...names]) {
          const bytes = utf8(`<${name}>`);
          const text = cache.get(bytes, 1, bytes.length - 1, hashes.get(name)!);
          assert.ok(text === name || text === null);
          if (hashes.size <= 16) assert.equal(text, name);
        }
      },
    ),
  );
});

Deno.test("get() decodes a name once, and keeps many", () => {
  const { cache, seen } = makeCache();
  for (let turn = 0; turn < 2; turn++) {
    for (let n = 0; n < 5_000; n++) {
      const bytes = utf8(`lottery ${n}`);
      assert.equal(cache.get(bytes, 0, bytes.length, n), `lottery ${n}`);
    }
  }
  assert.equal(seen.decoded, 5_000);
});

Deno.test("get() refuses a name when too many have its hash", () => {
  const { cache, seen } = makeCache();
  const texts = Array.from({ length: 100 }, (_, n) => {
    const bytes = utf8(`name ${n}`);
    return cache.get(bytes, 0, bytes.length, 7);
  });
  assert.equal(texts[0], "name 0");
  assert.equal(texts[99], null);
  assert.ok(seen.decoded < 20);
});

Deno.test("get() forgets all names rather than keep too many bytes", () => {
  const { cache, seen } = makeCache();
  const long = (n: number) => utf8(String(n).padStart(1_000, "x"));
  for (let n = 0; n < 10_000; n++) cache.get(long(n), 0, 1_000, n);
  assert.equal(seen.decoded, 10_000);
  cache.get(long(9_999), 0, 1_000, 9_999);
  assert.equal(seen.decoded, 10_000); // still known
  cache.get(long(0), 0, 1_000, 0);
  assert.equal(seen.decoded, 10_001); // forgotten
});

Deno.test("get() does not keep what may not be a name", () => {
  const cache = new NameCache({ decode: () => null });
  assert.equal(cache.get(utf8("bad"), 0, 3, 1), null);
  assert.equal(cache.get(utf8("bad"), 0, 3, 1), null);
});
