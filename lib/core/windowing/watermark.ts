/**
 * The watermark: the event time up to which all partitions have been read. It only
 * tells whether a window is complete; counts are right without it.
 * @module
 */

export interface PartitionTime {
  /** Greatest event time committed, or null if it has had no event. */
  readonly maxEventTimeMs: number | null;
  /** Read to its end, with nothing new: it does not hold the others back. */
  readonly isIdle: boolean;
}

/**
 * Least event time of the partitions that are not idle, but never less than
 * `before`. Stays at `before` while all are idle: then the last windows stay open.
 */
export function watermark(
  partitions: Iterable<PartitionTime>,
  before: number | null,
): number | null {
  let least = Infinity;
  for (const { maxEventTimeMs, isIdle } of partitions) {
    if (!isIdle) least = Math.min(least, maxEventTimeMs ?? -Infinity);
  }
  if (!Number.isFinite(least)) return before;
  return before === null ? least : Math.max(before, least);
}

/** Event times below this belong to closed windows; −∞ without a watermark. */
export function closedUpTo(
  watermarkMs: number | null,
  { sizeMs, graceMs }: { readonly sizeMs: number; readonly graceMs: number },
): number {
  if (watermarkMs === null) return -Infinity;
  return Math.floor((watermarkMs - graceMs) / sizeMs) * sizeMs;
}
