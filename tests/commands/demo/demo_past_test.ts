/** What the demo shows of the days before it was started. */

import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { Program } from "../../support/worker_process.ts";

/** Nothing of the demo may need what the machine has: the settings point nowhere. */
const env = { KAFKA_BROKERS: "127.0.0.1:1", DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The ranges of the page, with the lengths of their bars. */
const RANGES = [
  { name: "15 min", rangeMs: 15 * MINUTE_MS, step: "1m", stepMs: MINUTE_MS },
  { name: "1 h", rangeMs: HOUR_MS, step: "1m", stepMs: MINUTE_MS },
  { name: "6 h", rangeMs: 6 * HOUR_MS, step: "5m", stepMs: 5 * MINUTE_MS },
  { name: "24 h", rangeMs: DAY_MS, step: "15m", stepMs: 15 * MINUTE_MS },
  { name: "7 days", rangeMs: 7 * DAY_MS, step: "1h", stepMs: HOUR_MS },
];

interface Bucket {
  readonly window_start: string;
  readonly event_count: number;
}

Deno.test("every bar of every range up to 7 days has events, and no leap is between past and present", async () => {
  await using program = await Program.start(["demo"], { env });
  const url = (await program.printed(/Page on (http:[^ ]+\/),/))[1]!;
  // While the demo's audit reads the tables, which have one session, the API may ask to try again.
  const get = async (path: string) => {
    const response = await eventually(async () => {
      const response = await fetch(`${url}${path}`);
      if (response.status === 503) await response.body?.cancel();
      return response.status !== 503 && response;
    });
    assert.equal(response.status, 200, path);
    return await response.json();
  };
  await eventually(async () => {
    const { all_workers } = await get("api/status");
    const { lag_records, partitions = [] } = all_workers ?? {};
    return partitions.length > 0 && lag_records !== null && lag_records < 200;
  });
  // The last full minute.
  const toMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  for (const { name, rangeMs, step, stepMs } of RANGES) {
    const fromMs = Math.ceil((toMs - rangeMs) / stepMs) * stepMs;
    const range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
    const counts = new Map<number, number>();
    for (let cursor: string | null = ""; cursor !== null;) {
      const page = await get(
        `api/aggregates?${range}&step=${step}&event_type=clicked${cursor && `&cursor=${cursor}`}`,
      );
      for (const { window_start, event_count } of page.aggregates as Bucket[]) {
        const startMs = Date.parse(window_start);
        counts.set(startMs, (counts.get(startMs) ?? 0) + event_count);
      }
      cursor = page.next;
    }
    const bars = Array.from(
      { length: Math.floor((toMs - fromMs) / stepMs) }, // the last one may have begun just now
      (_, at) => counts.get(fromMs + at * stepMs) ?? 0,
    );
    assert.ok(bars.every((count) => count > 0), `${name}: ${bars.join()}`);
    // An hour's rate is at most six times that of the hour before, whatever happens in it.
    const hours = Math.max(1, HOUR_MS / stepMs);
    for (let at = hours; at < bars.length; at += hours) {
      const sum = (from: number) =>
        bars.slice(from, from + hours).reduce((all, count) => all + count, 0);
      if (at + hours > bars.length) break;
      assert.ok(sum(at) < 6 * sum(at - hours), `${name}: ${bars.join()}`);
    }
    const { totals_week_ago } = await get(`api/totals?${range}`);
    if (rangeMs <= DAY_MS) assert.ok(totals_week_ago !== null, name);
  }
});
