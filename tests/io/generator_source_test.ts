import assert from "node:assert/strict";
import { Condition } from "../../lib/condition.ts";
import { Generator } from "../../lib/core/generator.ts";
import { RecordCursor } from "../../lib/core/record_batch.ts";
import type { SourceReader } from "../../lib/endpoints.ts";
import { GeneratorSource } from "../../lib/io/generator_source.ts";

function makeSource(startMs: number): GeneratorSource {
  const generator = new Generator({ seed: 1, lotteries: 5, badShare: 0.1, lateShare: 0.1 });
  return new GeneratorSource({ generator, partitions: 3, rate: 1_000, startMs });
}

/** Reads `records` of each partition from these positions on. */
async function read(
  source: GeneratorSource,
  { from, records }: { readonly from: number; readonly records: number },
): Promise<Map<number, string[]>> {
  const [stop, changed, found] = [
    new AbortController(),
    new Condition(),
    new Map<number, string[]>(),
  ];
  const reader: SourceReader = {
    assigned: (partitions) => source.resume(new Map(partitions.map((id) => [id, from]))),
    interrupted: () => {},
    fetched: ({ partition, fetchedOffset, nextOffset, batches }) => {
      const values = found.get(partition) ?? [];
      found.set(partition, values);
      assert.equal(fetchedOffset, from + values.length);
      for (const batch of batches) {
        const cursor = new RecordCursor(batch);
        while (cursor.next()) {
          values.push(`${cursor.offset} ${cursor.timestampMs} ${cursor.value()?.toHex()}`);
        }
      }
      assert.equal(nextOffset, from + values.length);
      changed.notify();
      return Promise.resolve();
    },
  };
  const reading = source.read(reader, stop.signal);
  await changed.until(() =>
    found.size === 3 && [...found.values()].every(({ length }) => length >= records)
  );
  stop.abort();
  await reading;
  return new Map(Array.from(found, ([partition, values]) => [partition, values.slice(0, records)]));
}

Deno.test("GeneratorSource has the events of the time since its start", async () => {
  const ranges = await makeSource(Date.now() - 6_000).logRanges();
  for (const { startOffset, endOffset } of ranges.values()) {
    assert.equal(startOffset, 0);
    assert.ok(endOffset >= 2_000 && endOffset < 2_100, `${endOffset}`);
  }
  const future = await makeSource(Date.now() + 60_000).logRanges();
  assert.ok([...future.values()].every(({ endOffset }) => endOffset === 0));
});

Deno.test("GeneratorSource gives the same log whenever and from wherever it is read", async () => {
  const startMs = Date.now() - 10_000;
  const all = await read(makeSource(startMs), { from: 0, records: 1_500 });
  const rest = await read(makeSource(startMs), { from: 700, records: 800 });
  for (const [partition, values] of rest) assert.deepEqual(values, all.get(partition)!.slice(700));
});
