import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import "kafkajs/src/protocol/recordBatch/v0/index.js";
import { logBatchOf } from "../../../../lib/core/records/log_batch.ts";
import { UnreadableBatchError } from "../../../../lib/core/records/unreadable_batch.ts";
import {
  type BatchMessage,
  decodeRecordBatches,
  dropAborted,
  type ResponseDecoder,
} from "../../../../lib/io/kafka/kafkajs/fetch_decoder.ts";
import { piecesIn, recordsIn } from "../../../support/pieces.ts";

const require = createRequire(import.meta.url);
const { RecordBatch } = require("kafkajs/src/protocol/recordBatch/v0/index.js");
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0/index.js");
const Decoder = require("kafkajs/src/protocol/decoder.js");

/** A batch as kafkajs's producer writes it. */
async function encodeBatch(baseOffset: number, values: readonly string[]): Promise<Buffer> {
  const encoder = await RecordBatch({
    firstOffset: BigInt(baseOffset),
    lastOffsetDelta: values.length - 1,
    records: values.map((value, offsetDelta) => encodeRecord({ offsetDelta, key: null, value })),
  });
  return encoder.buffer;
}

function response(...parts: readonly Buffer[]): ResponseDecoder {
  const size = Buffer.alloc(4);
  size.writeInt32BE(parts.reduce((sum, { length }) => sum + length, 0));
  return new Decoder(Buffer.concat([size, ...parts]));
}

async function valuesOf({ batch }: BatchMessage): Promise<string[]> {
  return await Array.fromAsync(
    recordsIn([batch]),
    (cursor) => new TextDecoder().decode(cursor.value()!),
  );
}

Deno.test("decodeRecordBatches() gives one message per batch", async () => {
  const [first, second] = [await encodeBatch(5, ["a", "b"]), await encodeBatch(7, ["c"])];
  const messages = decodeRecordBatches(response(first, second));
  assert.deepEqual(await Promise.all(messages.map(valuesOf)), [["a", "b"], ["c"]]);
  assert.deepEqual(messages.map(({ offset }) => offset), ["6", "7"]);
  assert.deepEqual(messages.map(({ batch }) => batch.nextOffset), [7, 8]);
});

Deno.test("decodeRecordBatches() leaves out a batch that is cut off, wherever it is cut", async () => {
  const [first, second] = [await encodeBatch(0, ["a"]), await encodeBatch(1, ["b"])];
  for (let length = 0; length < second.length; length++) {
    const messages = decodeRecordBatches(response(first, second.subarray(0, length)));
    assert.deepEqual(await Promise.all(messages.map(valuesOf)), [["a"]], `${length} bytes`);
  }
  assert.deepEqual(decodeRecordBatches(response()), []);
});

Deno.test("decodeRecordBatches() refuses a batch in which any byte was changed", async () => {
  const batch = await encodeBatch(3, ["a value"]);
  const magicAt = 16;
  for (let at = magicAt + 1; at < batch.length; at++) {
    const damaged = Buffer.from(batch);
    damaged[at]! ^= 0x10;
    const [message] = decodeRecordBatches(response(damaged));
    assert.throws(
      () => message!.batch.pieces(),
      (error: Error) => error instanceof UnreadableBatchError && /checksum/.test(error.message),
      `byte ${at}`,
    );
  }
});

Deno.test("decodeRecordBatches() refuses messages of the old formats", async () => {
  const batch = await encodeBatch(3, ["a value"]);
  batch[16] = 1;
  const [message] = decodeRecordBatches(response(batch));
  assert.throws(() => message!.batch.pieces(), /older than Kafka 0.11/);
});

/** A batch of a transaction, as far as the filter looks at it. */
function transactional(
  offset: number,
  producerId: number,
  control: BatchMessage["control"] = null,
): BatchMessage {
  return {
    offset: String(offset),
    isControlRecord: false,
    producerId: BigInt(producerId),
    isTransactional: true,
    control,
    batch: logBatchOf({
      baseOffset: offset,
      nextOffset: offset + 1,
      recordCount: control === null ? 1 : 0,
      baseTimestampMs: 0,
      maxTimestampMs: 0,
      isLogAppendTime: false,
      crc: 0,
      records: new Uint8Array(control === null ? 8 : 0),
    }),
  };
}

async function keptOffsets(
  messages: readonly BatchMessage[],
  aborted: readonly (readonly [producerId: number, firstOffset: number])[],
): Promise<number[]> {
  const abortedTransactions = aborted.map(([producerId, firstOffset]) => ({
    producerId: String(producerId),
    firstOffset: String(firstOffset),
  }));
  const kept = dropAborted({ messages, abortedTransactions });
  assert.deepEqual(
    kept.map(({ offset }) => offset),
    messages.map(({ offset }) => offset),
    "offsets stay",
  );
  const pieces = (await Promise.all(kept.map(({ batch }) => piecesIn(batch)))).flat();
  return pieces.filter(({ recordCount }) => recordCount > 0).map(({ baseOffset }) => baseOffset);
}

Deno.test("dropAborted() takes up every transaction that began before the fetch", async () => {
  const messages = [
    transactional(10, 1),
    transactional(11, 2),
    transactional(12, 1, "abort"),
    transactional(13, 1),
    transactional(14, 2, "abort"),
    transactional(15, 2),
  ];
  assert.deepEqual(await keptOffsets(messages, [[1, 3], [2, 5]]), [13, 15]);
  assert.deepEqual(await keptOffsets(messages, [[2, 5], [1, 3]]), [13, 15], "in any order");
  assert.deepEqual(await keptOffsets(messages, []), [10, 11, 13, 15]);
});

Deno.test("dropAborted() keeps the transaction of a producer that committed before it aborted", async () => {
  const messages = [
    transactional(0, 1),
    transactional(1, 1, "commit"),
    transactional(2, 1),
    transactional(3, 1, "abort"),
    transactional(4, 1),
    transactional(5, 1, "commit"),
  ];
  assert.deepEqual(await keptOffsets(messages, [[1, 2]]), [0, 4]);
});
