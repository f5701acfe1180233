/**
 * Replaces modules of kafkajs, before anything else loads them.
 * @module
 */

import { createRequire } from "node:module";

/** Returns a module of kafkajs that has been imported already. */
export const require = createRequire(import.meta.url);

/** From now on, requiring the module of kafkajs returns these exports. */
export function replaceExports(path: string, exports: unknown): void {
  const module = require.cache[require.resolve(path)];
  if (!module) throw new Error(`Cannot replace ${path}: it is not loaded`);
  module.exports = exports;
}
