/**
 * What `doctor` finds.
 * @module
 */

import { describe } from "../../core/failure.ts";

/** What was looked at, and how it is. */
export interface Finding {
  readonly subject: string;
  readonly isGood: boolean;
  readonly text: string;
}

/** What a look has shown: what it says, or why it failed. */
export async function finding(subject: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { subject, isGood: true, text: await look() };
  } catch (error) {
    return { subject, isGood: false, text: describe(error) };
  }
}
