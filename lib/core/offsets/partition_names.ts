/**
 * Partitions as a sentence names them.
 * @module
 */

import type { LogView } from "./log_range.ts";

/** More of them are summed up. */
const MAX_NAMED = 20;

/** `partition 3`, `partitions 1 and 3`, `partitions 0, 1 and 3`. */
export function partitionNames(partitions: readonly number[]): string {
  if (partitions.length === 1) return `partition ${partitions[0]}`;
  const named: (string | number)[] = partitions.slice(0, MAX_NAMED);
  if (partitions.length > MAX_NAMED) named.push(`${partitions.length - MAX_NAMED} more`);
  return `partitions ${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
}

/** Which partitions cannot be read, and why: `partitions 1 and 4: no leader; partition 2: …`. */
export function unavailableText(unavailable: LogView["unavailable"]): string {
  const byReason = Map.groupBy(unavailable, ([, reason]) => reason);
  return Array.from(byReason, ([reason, entries]) => {
    const ids = entries.map(([partition]) => partition).sort((a, b) => a - b);
    return `${partitionNames(ids)}: ${reason}`;
  }).join("; ");
}
