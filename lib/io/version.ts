/**
 * Which version of the program this is.
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

/** As `deno.json` has it, "0.1.0". */
export const VERSION: string = manifest.version;
