import assert from "node:assert/strict";
import { Condition } from "../../../lib/async/condition.ts";
import { GeneratedLog } from "../../../lib/core/simulation/generated_log.ts";
import { GeneratorSource } from "../../../lib/io/sources/generator_source.ts";
import { NumberedLog } from "../../../lib/io/sources/numbered_log.ts";
import type { SourceReader } from "../../../lib/pipeline/source.ts";
import { recordsIn } from "../../support/pieces.ts";

const DAY_MS = 86_400_000;

function makeLog(begunMs: number): GeneratedLog {
  const options = { seed: 1, lotteries: 5, badShare: 0.1, lateShare: 0.1 };
  const past = { days: 1, share: 0.1 };
  return new GeneratedLog({ ...options, rate: 10, past, speed: 1, begunMs });
}

function makeSource(begunMs: number): GeneratorSource {
  return new GeneratorSource(new NumberedLog(makeLog(begunMs), 3));
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
    fetched: async ({ partition, fetchedOffset, nextOffset, batches }) => {
      const values = found.get(partition) ?? [];
      found.set(partition, values);
      assert.equal(fetchedOffset, from + values.length);
      for await (const cursor of recordsIn(batches)) {
        values.push(`${cursor.offset} ${cursor.timestampMs} ${cursor.value()?.toHex()}`);
      }
      assert.equal(nextOffset, from + values.length);
      changed.notify();
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

Deno.test("GeneratorSource has all records that are there by now, shared among its partitions", async () => {
  const begunMs = Date.now() - 6_000;
  const log = makeLog(begunMs);
  const before = log.lengthAt(Date.now());
  const ranges = [...(await makeSource(begunMs).viewLog()).ranges.values()];
  const after = log.lengthAt(Date.now());
  const lengths = ranges.map(({ startOffset, endOffset }) => endOffset - startOffset);
  const length = lengths.reduce((sum, each) => sum + each, 0);
  assert.ok(length >= before && length <= after + 2, `${before} ${length} ${after}`);
  assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1, lengths.join());

  const { ranges: future } = await makeSource(Date.now() + 2 * DAY_MS).viewLog();
  assert.ok([...future.values()].every(({ endOffset }) => endOffset === 0));
});

Deno.test("GeneratorSource gives the same log whenever and from wherever it is read", async () => {
  const startMs = Date.now() - 10_000;
  const all = await read(makeSource(startMs), { from: 0, records: 1_500 });
  const rest = await read(makeSource(startMs), { from: 700, records: 800 });
  for (const [partition, values] of rest) assert.deepEqual(values, all.get(partition)!.slice(700));
});

Deno.test("NumberedLog gives an audit the same records as a pipeline, of any part", async () => {
  const begunMs = Date.now() - 10_000;
  const all = await read(makeSource(begunMs), { from: 0, records: 1_500 });
  const log = new NumberedLog(makeLog(begunMs), 3);
  assert.equal(await log.isCompacted(), false);
  const ranges = await log.ranges([1]);
  assert.deepEqual([...ranges.keys()], [1]);
  assert.ok(ranges.get(1)!.endOffset >= 1_500);
  for (const [from, to] of [[0, 1_500], [700, 701], [301, 999], [5, 5]] as const) {
    const values: string[] = [];
    for await (const batches of log.read({ partition: 1, from, to })) {
      for await (const cursor of recordsIn(batches)) {
        values.push(`${cursor.offset} ${cursor.timestampMs} ${cursor.value()?.toHex()}`);
      }
    }
    assert.deepEqual(values, all.get(1)!.slice(from, to));
  }
});
