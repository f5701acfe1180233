import assert from "node:assert/strict";
import { auditReport } from "../support/audit_stand.ts";
import { makeLines } from "../support/event_lines.ts";
import { eventually } from "../support/eventually.ts";
import { Expectation } from "../support/expectation.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { run } from "../support/guarded_process.ts";
import { kcatProduce } from "../support/kcat.ts";
import { type HugeRecord, type RawBatchOptions, sendRawBatch } from "../support/raw_batch.ts";
import type { Program } from "../support/worker_process.ts";

const MAX_BYTES = 400 << 20;
const MEGABYTE = 1 << 20;

/** Greatest resident memory that the process has had. */
async function peakBytes(worker: Program): Promise<number> {
  const line = await run("grep", ["VmHWM", `/proc/${worker.pid}/status`]);
  return Number(line.match(/(\d+) kB/)![1]) * 1024;
}

const repeated = (length: number, text = "x") => ({ length, byte: text.charCodeAt(0) });
const event = () =>
  new TextEncoder().encode(
    JSON.stringify({ lottery_name: "large", event_type: "pay", timestamp: Date.now() }),
  );

const BATCHES: readonly {
  readonly name: string;
  readonly codec: RawBatchOptions["codec"];
  readonly records: readonly HugeRecord[];
  /** Events among them. */
  readonly events: number;
  readonly reason: string | null;
}[] = [
  {
    name: "one value of 700 MB",
    codec: "zstd",
    records: [{ value: repeated(700 * MEGABYTE) }],
    events: 0,
    reason: "value_too_large",
  },
  {
    name: "2,000 values of 1 MB",
    codec: "zstd",
    records: Array.from({ length: 2_000 }, () => ({ value: repeated(MEGABYTE) })),
    events: 0,
    reason: "not_json",
  },
  {
    name: "an event with a header of 210 MB",
    codec: "zstd",
    records: [{ value: event(), headers: [{ key: "h", value: repeated(210 * MEGABYTE) }] }],
    events: 1,
    reason: null,
  },
  {
    name: "a bad record with a header of 210 MB, and a key of 300 MB",
    codec: "gzip",
    records: [{
      key: repeated(300 * MEGABYTE),
      value: repeated(3),
      headers: [{ key: "h", value: repeated(210 * MEGABYTE) }],
    }],
    events: 0,
    reason: "not_json",
  },
  {
    name: "one value of 240 MB in lz4",
    codec: "lz4",
    records: [{ value: repeated(240 * MEGABYTE) }],
    events: 0,
    reason: "value_too_large",
  },
  {
    name: "240 values of 1 MB in lz4",
    codec: "lz4",
    records: Array.from({ length: 240 }, () => ({ value: repeated(MEGABYTE) })),
    events: 0,
    reason: "not_json",
  },
  {
    name: "a value of 20 MB in snappy",
    codec: "snappy",
    records: [{ value: repeated(20 * MEGABYTE) }],
    events: 0,
    reason: "value_too_large",
  },
  {
    name: "a bad record with a million headers",
    codec: "zstd",
    records: [{
      value: repeated(3),
      headers: Array.from({ length: 1_000_000 }, () => ({ key: "h", value: null })),
    }],
    events: 0,
    reason: "not_json",
  },
  {
    name: "2,000 records with 1,000 empty headers each",
    codec: "zstd",
    records: Array.from({ length: 2_000 }, () => ({
      headers: Array.from({ length: 1_000 }, () => ({ key: "", value: repeated(0) })),
    })),
    events: 0,
    reason: "tombstone",
  },
  {
    name: "500,000 records without a value",
    codec: "zstd",
    records: Array.from({ length: 500_000 }, () => ({})),
    events: 0,
    reason: "tombstone",
  },
];

/** Asks for the worker's health until it is told to stop. @returns the longest wait for an answer. */
function watchHealth(worker: Program): () => Promise<number> {
  const stop = new AbortController();
  const watching = (async () => {
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    let longestMs = 0;
    while (!stop.signal.aborted) {
      const startedAt = performance.now();
      const response = await fetch(`${url}healthz`, { signal: AbortSignal.timeout(10_000) });
      assert.equal(response.status, 200);
      await response.text();
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return longestMs;
  })();
  watching.catch(() => stop.abort()); // told when it is asked for
  return () => {
    stop.abort();
    return watching;
  };
}

async function reasonsOf({ database }: FaultStand): Promise<Record<string, number>> {
  const rows = await database.connection.query<{ reason: string; letters: number }>({
    text: "select reason, count(*) as letters from dead_letters group by reason",
  });
  return Object.fromEntries(rows.map(({ reason, letters }) => [reason, letters]));
}

for (const { name, codec, records, events, reason } of BATCHES) {
  faultTest(
    `what is compressed into a batch does not stop anything, nor take much memory: ${name}`,
    { partitions: 1 },
    async (stand) => {
      const { topic, database } = stand;
      await using worker = await stand.startWorker();
      const bytes = await sendRawBatch(topic, records, { codec });
      const healthOf = watchHealth(worker);
      const expected = new Expectation();
      await kcatProduce(topic, makeLines(1_000, expected));
      await eventually(async () => await stand.recordsRead() === records.length + 1_000, {
        timeoutMs: 180_000,
      });
      const longestMs = await healthOf();
      const peak = await peakBytes(worker);
      console.log(`${bytes} bytes sent, peak ${peak >> 20} MB, health after ${longestMs | 0} ms`);
      assert.ok(peak < MAX_BYTES, `${peak >> 20} MB`);
      const [{ large } = { large: 0 }] = await database.connection.query<{ large: number }>({
        text: `
          select coalesce(sum(event_count), 0)::bigint as large
          from lottery_aggregates
          where lottery_name = 'large'`,
      });
      assert.equal(large, events);
      if (reason) assert.equal((await reasonsOf(stand))[reason]! >= records.length - events, true);
      const report = await auditReport({ env: stand.env() });
      assert.equal(report.verdict, "agrees", JSON.stringify(report));
    },
  );
}
