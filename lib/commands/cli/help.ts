/**
 * What the help texts of the commands have in common.
 * @module
 */

/** Examples, as they stand below the help of a command. */
export function example(...lines: readonly string[]): string {
  return `\nFor example:\n${lines.map((line) => `  deno task ${line}\n`).join("")}`;
}
