/**
 * kafkajs's own modules, so that parts of them can be replaced before anything else loads them.
 * @module
 */

import { createRequire } from "node:module";

/** Loads a module of kafkajs that somebody has imported already. */
export const require = createRequire(import.meta.url);

/** From now on, whoever requires the module of kafkajs gets these exports. */
export function replaceExports(path: string, exports: unknown): void {
  const module = require.cache[require.resolve(path)];
  if (!module) throw new Error(`Cannot replace ${path}: it is not loaded`);
  module.exports = exports;
}
