/**
 * The state of a pipeline without anything to say.
 */

import type { Status } from "../../lib/core/views/status.ts";

export const STATUS: Status = {
  topic: "user-events",
  groupId: "lottery-aggregates",
  isCompacted: false,
  partitions: [],
  group: null,
  workers: [],
  uncounted: [],
  watermarkMs: null,
  closedUpToMs: null,
  output: null,
  deadLetters: [],
  audit: null,
  booksDifference: 0,
  quiet: { total: 0, listed: [] },
  findings: [],
};
