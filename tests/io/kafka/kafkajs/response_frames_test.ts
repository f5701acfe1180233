import fc from "fast-check";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ResponseFrames } from "../../../../lib/io/kafka/kafkajs/response_frames.ts";

function framed(responses: readonly Uint8Array[]): Buffer {
  return Buffer.concat(responses.flatMap((response) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(response.length);
    return [length, response];
  }));
}

Deno.test("take() gives the same responses wherever their bytes are cut", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 })),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
    (responses, lengths) => {
      const bytes = framed(responses);
      const frames = new ResponseFrames();
      const taken: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + lengths[turn % lengths.length]!;
        taken.push(...frames.take(bytes.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(taken.map((response) => [...response]), responses.map((each) => [...each]));
    },
  ));
});

Deno.test("take() keeps nothing of the bytes it was given", () => {
  const frames = new ResponseFrames();
  const bytes = framed([Buffer.from("first"), Buffer.from("second")]);
  const [first] = frames.take(bytes.subarray(0, 12));
  const rest = Buffer.from(bytes.subarray(12));
  bytes.fill(0);
  const [second] = frames.take(rest);
  assert.equal(String(first), "first");
  assert.equal(String(second), "second");
});

Deno.test("take() makes room for a long response only as it comes", () => {
  const frames = new ResponseFrames();
  const length = Buffer.alloc(4);
  length.writeInt32BE(100 << 20);
  frames.take(length);
  const part = Buffer.alloc(1 << 20);
  for (let at = 0; at < 99; at++) {
    assert.deepEqual(frames.take(part.fill(at)), []);
  }
  const [response] = frames.take(part.fill(99));
  assert.equal(response!.length, 100 << 20);
  for (let at = 0; at < 100; at++) assert.equal(response![at << 20], at);
});

for (const size of [-1, -(2 ** 31), 2 ** 31 - 1, (128 << 20) + 1]) {
  Deno.test(`take() refuses a response of ${size} bytes, and makes no room for it`, () => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(size);
    const before = Deno.memoryUsage().external;
    assert.throws(() => new ResponseFrames().take(length), /a response cannot have/);
    assert.ok(Deno.memoryUsage().external - before < 64 << 20);
  });
}
