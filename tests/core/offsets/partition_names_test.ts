import assert from "node:assert/strict";
import { partitionNames, unavailableText } from "../../../lib/core/offsets/partition_names.ts";

Deno.test("partitionNames() names some partitions, and sums up the rest", () => {
  assert.equal(partitionNames([3]), "partition 3");
  assert.equal(partitionNames([0, 1, 3]), "partitions 0, 1 and 3");
  const many = Array.from({ length: 256 }, (_, partition) => partition);
  assert.match(partitionNames(many), /^partitions 0, 1, .*18, 19 and 236 more$/);
});

Deno.test("unavailableText() names partitions by their reason, in their order", () => {
  const unavailable = new Map([[4, "no leader"], [2, "new"], [1, "no leader"]]);
  assert.equal(unavailableText(unavailable), "partitions 1 and 4: no leader; partition 2: new");
});
