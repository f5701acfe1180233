/**
 * Reports as JSON, for programs.
 * @module
 */

import { printableJson } from "../../core/text/printable.ts";

/** The report, indented, with the names of its fields in snake_case, as the tables have them. */
export function reportJson(report: unknown): string {
  return printableJson(withSnakeNames(report), 2);
}

function withSnakeNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSnakeNames);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [snakeCase(name), withSnakeNames(field)]),
  );
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
