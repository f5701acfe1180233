import assert from "node:assert/strict";
import { UnavailableError } from "../../lib/core/failure.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";

Deno.test("a mail does not tell the lag of a partition that cannot be read", () => {
  const state = new WorkerState();
  state.assigned([0, 1]);
  state.positioned(new Map([[0, 10], [1, 10]]));
  state.lag(new Map([[0, 5], [1, 7]]));
  state.unavailable(new Map([[1, "no leader"]]));
  assert.deepEqual(state.ownPartitions.map(({ lag }) => lag), [5, null]);
});

Deno.test("a mail does not tell a lag of before Kafka was away", () => {
  const state = new WorkerState();
  state.assigned([0]);
  state.positioned(new Map([[0, 10]]));
  const lag = () => state.ownPartitions[0]!.lag;
  state.lag(new Map([[0, 5]]));
  for (const system of ["commit", "query"] as const) {
    state.failed(system, new UnavailableError("away"));
    assert.equal(lag(), 5, system);
  }
  for (const system of ["source", "group"] as const) {
    state.failed(system, new UnavailableError("away"));
    assert.equal(lag(), null, system);
    state.lag(new Map([[0, 5]]));
  }
});
