import assert from "node:assert/strict";
import { SituationBoard } from "../../lib/observers/situation.ts";

Deno.test("a mail does not tell the lag of a partition that cannot be read", () => {
  const board = new SituationBoard();
  board.assigned([0, 1]);
  board.positioned(new Map([[0, 10], [1, 10]]));
  board.lag(new Map([[0, 5], [1, 7]]));
  board.unavailable(new Map([[1, "no leader"]]));
  assert.deepEqual(board.partitions.map(({ lag }) => lag), [5, null]);
});

Deno.test("a mail does not tell a lag of before Kafka was away", () => {
  const board = new SituationBoard();
  board.assigned([0]);
  board.positioned(new Map([[0, 10]]));
  const lag = () => board.partitions[0]!.lag;
  board.lag(new Map([[0, 5]]));
  for (const system of ["commit", "query"] as const) {
    board.failed(system);
    assert.equal(lag(), 5, system);
  }
  for (const system of ["source", "group"] as const) {
    board.failed(system);
    assert.equal(lag(), null, system);
    board.lag(new Map([[0, 5]]));
  }
});
