/**
 * What the help of the commands has in common.
 * @module
 */

/** Examples, as they stand below the help of a command. */
export function example(...lines: readonly string[]): string {
  return `\nFor example:\n${lines.map((line) => `  deno task ${line}\n`).join("")}`;
}
