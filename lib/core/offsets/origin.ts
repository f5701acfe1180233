/**
 * Which log the counts are of.
 * @module
 */

/** Where the records come from, and how a person would change that. */
export interface Origin {
  /** Name of the log that no other log has: the cluster's id, or a file's path and hash. */
  readonly id: string;
  /** What sets it. */
  readonly setting: string;
  /** What to do to count another one. */
  readonly remedy: string;
}
