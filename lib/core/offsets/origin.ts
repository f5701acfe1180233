/**
 * Which log the counts are of.
 * @module
 */

export interface Origin {
  /** Name of the log that no other log has: the cluster's id, or a file's path and hash. */
  readonly id: string;
  /** The setting or argument that names it. */
  readonly setting: string;
  /** How to count another one. */
  readonly remedy: string;
}
