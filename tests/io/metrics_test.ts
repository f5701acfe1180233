import assert from "node:assert/strict";
import { Metrics } from "../../lib/io/metrics.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { AUDIT } from "../support/watched.ts";

/** Values of the gauges that follow the worker's state; those without a value are missing. */
async function gaugesOf(metrics: Metrics): Promise<Record<string, number>> {
  const samples = (await metrics.text()).matchAll(
    /^(lottery_(?:consumer_lag|uncounted_partitions|watermark_seconds|audit|books|quiet)\S*) (\S+)$/gm,
  );
  return Object.fromEntries(Array.from(samples, ([, name, value]) => [name!, Number(value)]));
}

Deno.test("a gauge that is not known yet has no value", async () => {
  const state = new WorkerState();
  const metrics = new Metrics({ topic: "user-events", state });
  assert.deepEqual(await gaugesOf(metrics), {});

  state.lag(new Map([[0, 0]]));
  state.uncounted([], []);
  state.watermark(1_767_225_600_000);
  assert.deepEqual(await gaugesOf(metrics), {
    'lottery_consumer_lag{topic="user-events",partition="0"}': 0,
    lottery_uncounted_partitions: 0,
    lottery_watermark_seconds: 1_767_225_600,
  });

  state.audit = { ...AUDIT, wrong: 0 };
  state.booksDifference = 0;
  state.quietLotteries = 0;
  const { lottery_audit_wrong_rows, lottery_audit_timestamp_seconds, ...others } = await gaugesOf(
    metrics,
  );
  assert.deepEqual([lottery_audit_wrong_rows, lottery_audit_timestamp_seconds], [
    0,
    AUDIT.atMs / 1000,
  ]);
  assert.deepEqual([others.lottery_books_difference, others.lottery_quiet_lotteries], [0, 0]);
  state.audit = state.booksDifference = state.quietLotteries = null;

  state.watermark(null); // no event has a time yet, or counting starts over
  state.failed("source", new Error("away"));
  assert.deepEqual(await gaugesOf(metrics), { lottery_uncounted_partitions: 0 });
});
