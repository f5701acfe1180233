/**
 * A process of its own that decompresses standard input by the codec of its argument, and prints how
 * many bytes came of it and the most memory that was held meanwhile: neither garbage nor what other
 * tests hold is in the figure.
 * @module
 */

import { Buffer } from "node:buffer";
import { decompress } from "../../lib/io/kafka/compression/codecs.ts";

// With --v8-flags=--expose-gc.
declare const gc: () => void;

const LOOK_EVERY_BYTES = 4 << 20;

/** Resident memory, without garbage. @returns bytes. */
function heldBytes(): number {
  gc();
  return Deno.memoryUsage().rss;
}

const compressed = Buffer.from(await new Response(Deno.stdin.readable).arrayBuffer());
const before = heldBytes();
let [size, held, lookedAt] = [0, 0, 0];
for await (const chunk of decompress(compressed, Number(Deno.args[0]))) {
  size += chunk.length;
  if (size - lookedAt < LOOK_EVERY_BYTES) continue;
  lookedAt = size;
  held = Math.max(held, heldBytes() - before);
}
console.log(JSON.stringify({ size, held }));
