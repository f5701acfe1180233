import { lz4Compress, snappyCompress } from "@platformatic/wasm-utils/bundled";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { MAX_WHOLE_BYTES } from "../../../../lib/io/kafka/compression/chunks.ts";
import { decompress } from "../../../../lib/io/kafka/compression/codecs.ts";
import { run } from "../../../support/guarded_process.ts";
import { ROOT, runtimeEnv } from "../../../support/worker_process.ts";

const [GZIP, SNAPPY, LZ4, ZSTD] = [1, 2, 3, 4];

/** Text that compresses well, but not to nothing, and nowhere repeats what is far away. */
function sample(bytes: number): Buffer {
  const lines: string[] = [];
  for (let n = 0, length = 0; length < bytes; n++) {
    lines.push(`{"lottery_name":"lottery ${n % 97}","n":${(n * 2_654_435_761) % 2 ** 32}}\n`);
    length += lines.at(-1)!.length;
  }
  return Buffer.from(lines.join("").slice(0, bytes));
}

/** Snappy as Java writes it: in blocks of 32 kB. */
function framedSnappy(bytes: Buffer, blockBytes = 32 << 10): Buffer {
  const parts: Buffer[] = [
    Buffer.from([0x82, ...Buffer.from("SNAPPY"), 0, 0, 0, 0, 1, 0, 0, 0, 1]),
  ];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = snappyCompress(bytes.subarray(at, at + blockBytes));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const CODECS: readonly {
  readonly name: string;
  readonly codec: number;
  readonly compress: (bytes: Buffer) => Buffer;
}[] = [
  { name: "gzip", codec: GZIP!, compress: (bytes) => gzipSync(bytes) },
  { name: "snappy", codec: SNAPPY!, compress: snappyCompress },
  { name: "framed snappy", codec: SNAPPY!, compress: framedSnappy },
  {
    name: "snappy framed in large blocks",
    codec: SNAPPY!,
    compress: (bytes) => framedSnappy(bytes, 3 << 20),
  },
  { name: "lz4", codec: LZ4!, compress: lz4Compress },
  { name: "zstd", codec: ZSTD!, compress: (bytes) => zstdCompressSync(bytes) },
];

const SIZES = [0, 1, 70_000, MAX_WHOLE_BYTES, MAX_WHOLE_BYTES + 1, 9_999_999];

for (const { name, codec, compress } of CODECS) {
  for (const size of SIZES.filter((size) => size > 0 || name !== "framed snappy")) {
    Deno.test(`decompress() gives ${size} bytes of ${name}, in chunks if they are many`, async () => {
      const bytes = sample(size);
      const chunks = await Array.fromAsync(decompress(compress(bytes), codec));
      assert.ok(Buffer.concat(chunks).equals(bytes));
      for (const chunk of chunks) assert.ok(chunk.length <= MAX_WHOLE_BYTES, `${chunk.length}`);
    });
  }

  Deno.test(`decompress() holds little of ${name} that becomes many times as large`, async () => {
    const { size, held } = await decompressedApart(compress(Buffer.alloc(200 << 20)), codec);
    assert.equal(size, 200 << 20);
    assert.ok(held < 64 << 20, `${held >> 20} MB`);
  });
}

/** Decompresses in a process of its own. @returns bytes that came of it, and bytes held at most. */
async function decompressedApart(
  compressed: Buffer,
  codec: number,
): Promise<{ readonly size: number; readonly held: number }> {
  const program = join(ROOT, "tests/support/decompressing.ts");
  const args = ["run", "--v8-flags=--expose-gc", "--allow-read", program, String(codec)];
  return JSON.parse(await run(Deno.execPath(), args, { stdin: compressed, env: runtimeEnv() }));
}

/** A frame of LZ4 whose blocks point back into the ones before, as some clients write it. */
function linkedLz4(blocks: number): { readonly frame: Buffer; readonly bytes: Buffer } {
  const first = sample(64 << 10);
  const size = (length: number, flag = 0) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length + flag);
    return bytes;
  };
  // Copies what stands 65,535 bytes before, 65,000 of them, and ends with five bytes as they are.
  const extra = 65_000 - 19;
  const copy = Buffer.from([
    ...[0x0f, 0xff, 0xff, ...Array(Math.floor(extra / 255)).fill(255), extra % 255],
    ...[0x50, ...Buffer.from("12345")],
  ]);
  const frame = [Buffer.from("04224d184040c0", "hex"), size(first.length, 2 ** 31), first];
  let bytes: Buffer = first;
  const all = [first];
  for (let n = 0; n < blocks; n++) {
    frame.push(size(copy.length), copy);
    const from = bytes.length - 65_535;
    const next = Buffer.concat([bytes.subarray(from, from + 65_000), Buffer.from("12345")]);
    all.push(next);
    bytes = Buffer.concat([bytes, next]).subarray(-(64 << 10));
  }
  return { frame: Buffer.concat([...frame, size(0)]), bytes: Buffer.concat(all) };
}

for (const blocks of [3, 200]) {
  Deno.test(`decompress() follows ${blocks} linked blocks of lz4`, async () => {
    const { frame, bytes } = linkedLz4(blocks);
    const chunks = await Array.fromAsync(decompress(frame, LZ4!));
    assert.ok(Buffer.concat(chunks).equals(bytes));
    assert.equal(chunks.length > 1, bytes.length > MAX_WHOLE_BYTES);
  });
}

Deno.test("decompress() follows far copies of snappy over the ends of its chunks", async () => {
  // A literal of 60,000 bytes, and then copies of 64 from as far back as the encoding allows.
  const literal = sample(60_000);
  const copies = 160_000;
  const announced = literal.length + 64 * copies;
  const header = [announced & 0x7f | 0x80, announced >> 7 & 0x7f | 0x80];
  header.push(announced >> 14 & 0x7f | 0x80, announced >> 21);
  const lessOne = literal.length - 1;
  const block = Buffer.concat([
    Buffer.from([...header, 61 << 2, lessOne & 0xff, lessOne >> 8]),
    literal,
    ...Array.from(
      { length: copies },
      (_, n) => Buffer.from(n % 2 ? [63 << 2 | 2, 0x60, 0xea] : [63 << 2 | 3, 0x60, 0xea, 0, 0]),
    ),
  ]);
  const chunks = await Array.fromAsync(decompress(block, SNAPPY!));
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.length, announced);
  for (let at = literal.length; at < bytes.length; at += literal.length) {
    const part = bytes.subarray(at, at + literal.length);
    assert.ok(part.equals(literal.subarray(0, part.length)), `at ${at}`);
  }
});

const BROKEN: readonly {
  readonly name: string;
  readonly codec: number;
  readonly bytes: number[];
}[] = [
  { name: "gzip that is none", codec: GZIP!, bytes: [1, 2, 3] },
  { name: "zstd that is none", codec: ZSTD!, bytes: [1, 2, 3] },
  { name: "lz4 that is none", codec: LZ4!, bytes: [1, 2, 3, 4, 5, 6, 7, 8] },
  { name: "lz4 that is cut off", codec: LZ4!, bytes: [...linkedLz4(1).frame.subarray(0, -5)] },
  {
    name: "lz4 that announces 8 exabytes",
    codec: LZ4!,
    bytes: [
      0x04,
      0x22,
      0x4d,
      0x18,
      0x68,
      0x40,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x70,
      0,
      1,
      0,
      0,
      0,
      7,
      0,
      0,
      0,
      0,
    ],
  },
  { name: "snappy that announces 4 GB", codec: SNAPPY!, bytes: [255, 255, 255, 255, 15, 0, 1] },
  { name: "snappy that is cut off", codec: SNAPPY!, bytes: [200, 200, 200, 7, 63 << 2, 1] },
  { name: "snappy without a size", codec: SNAPPY!, bytes: [255, 255] },
  {
    name: "framed snappy that is cut off",
    codec: SNAPPY!,
    bytes: [...framedSnappy(sample(100)).subarray(0, -1)],
  },
  { name: "an unknown codec", codec: 7, bytes: [1] },
];

for (const { name, codec, bytes } of BROKEN) {
  Deno.test(`decompress() refuses ${name}, and makes no room for it`, async () => {
    const before = Deno.memoryUsage().external;
    await assert.rejects(async () => {
      const chunks = await Array.fromAsync(decompress(Buffer.from(bytes), codec));
      // What is cut off shows at last by its size.
      if (Buffer.concat(chunks).length < 100) throw new Error("too few");
    });
    assert.ok(Deno.memoryUsage().external - before < 100 << 20);
  });
}
