import assert from "node:assert/strict";
import { Positions } from "../../../lib/core/offsets/positions.ts";
import type { LogBatch } from "../../../lib/core/records/log_batch.ts";

const RANGE = { startOffset: 100, endOffset: 1_000 };
const MARK = { lastOffset: 499, crc: 7 };

function batch(nextOffset: number, crc: number | null = 7): LogBatch {
  return { nextOffset, crc, pieces: () => [] };
}

function started(position: { nextOffset: number; lastBatch: typeof MARK | null }) {
  const positions = new Positions();
  const resumeAt = positions.start({ partition: 3, position, range: RANGE });
  return { positions, resumeAt };
}

Deno.test("Positions reads on at the position if no batch was counted yet", () => {
  const { positions, resumeAt } = started({ nextOffset: 500, lastBatch: null });
  assert.equal(resumeAt, 500);
  const fetched = { partition: 3, nextOffset: 600, endOffset: 1_000 };
  assert.equal(
    positions.fitOf({ ...fetched, fetchedOffset: 500, batches: [batch(600, 1)] }),
    "fits",
  );
});

Deno.test("Positions reads on at the last counted batch, and knows the log by it", () => {
  const { positions, resumeAt } = started({ nextOffset: 500, lastBatch: MARK });
  assert.equal(resumeAt, 499);
  const fetched = { partition: 3, fetchedOffset: 499, nextOffset: 600, endOffset: 1_000 };
  assert.equal(
    positions.fitOf({ ...fetched, batches: [batch(500), batch(600, 1)] }),
    "fits",
  );
  positions.move(3, 600);
  assert.equal(
    positions.fitOf({ ...fetched, fetchedOffset: 600, batches: [] }),
    "fits",
    "it is known now",
  );
});

Deno.test("Positions reads on at a position that was set back before the last counted batch", () => {
  const { positions, resumeAt } = started({ nextOffset: 300, lastBatch: MARK });
  assert.equal(resumeAt, 300);
  const fetched = { partition: 3, fetchedOffset: 300, nextOffset: 500, endOffset: 1_000 };
  assert.equal(positions.fitOf({ ...fetched, batches: [batch(500)] }), "fits");
});

const OTHERS: readonly { readonly name: string; readonly batches: readonly LogBatch[] }[] = [
  { name: "another checksum", batches: [batch(500, 8)] },
  { name: "no checksum", batches: [batch(500, null)] },
  { name: "another end", batches: [batch(501)] },
  { name: "no batch at all", batches: [] },
];

for (const { name, batches } of OTHERS) {
  Deno.test(`Positions takes a first batch with ${name} for another log, until it is trusted`, () => {
    const { positions } = started({ nextOffset: 500, lastBatch: MARK });
    const fetched = {
      partition: 3,
      fetchedOffset: 499,
      nextOffset: 501,
      endOffset: 1_000,
      batches,
    };
    assert.equal(positions.fitOf(fetched), "other log");
    assert.equal(positions.fitOf(fetched), "other log", "checking twice changes nothing");
    positions.acceptLog(3);
    assert.equal(positions.fitOf({ ...fetched, fetchedOffset: 500 }), "fits");
  });
}

Deno.test("Positions does not ask for a batch that retention has deleted", () => {
  const { resumeAt } = started({ nextOffset: 100, lastBatch: { lastOffset: 99, crc: 7 } });
  assert.equal(resumeAt, 100);
});

Deno.test("Positions refuses what was fetched elsewhere, and what it has not started", () => {
  const { positions } = started({ nextOffset: 500, lastBatch: null });
  const fetched = {
    fetchedOffset: 499,
    nextOffset: 600,
    endOffset: 1_000,
    batches: [batch(600)],
  };
  assert.equal(positions.fitOf({ ...fetched, partition: 3 }), "elsewhere");
  assert.equal(positions.fitOf({ ...fetched, partition: 4 }), "not started");
  positions.clear();
  assert.equal(positions.fitOf({ ...fetched, partition: 3 }), "not started");
  assert.equal(positions.get(3), undefined);
});

Deno.test("Positions reach the ends when every partition does", () => {
  const positions = new Positions();
  const position = { nextOffset: 500, lastBatch: null };
  for (const partition of [0, 1]) positions.start({ partition, position, range: RANGE });
  const ends = new Map([[0, 500], [1, 501]]);
  assert.equal(positions.haveReached(ends), false);
  positions.move(1, 501);
  assert.equal(positions.haveReached(ends), true);
  positions.move(1, 900);
  assert.equal(positions.haveReached(new Map()), true, "no end is behind every partition");
});
