/**
 * Reports as JSON, for programs.
 * @module
 */

import { printableJson } from "../../core/text/printable.ts";
import { withSnakeNames } from "../../core/text/snake_case.ts";

/** The report, indented. */
export function reportJson(report: unknown): string {
  return printableJson(withSnakeNames(report), 2);
}
