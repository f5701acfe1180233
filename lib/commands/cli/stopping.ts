/**
 * How a command that counts ends when it is asked to stop.
 * @module
 */

import { isPassing } from "../../core/failure.ts";
import type { StopWords } from "./host.ts";

/** What is said when counting is stopped. */
export const STOPPING_COUNT: StopWords = {
  first: "Stopping: committing what is counted and leaving the group",
  second: "Stopped at once. Nothing is lost: the next start continues from the last commit.",
};

/** A system that is still down when the command is asked to stop is no failure. */
export async function unlessStopped(running: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await running;
  } catch (error) {
    if (!signal.aborted || !isPassing(error)) throw error;
  }
}
