/**
 * SHA-256, for the core.
 * @module
 */

import { createHash } from "node:crypto";
import type { NewSha256 } from "../core/records/record_batch.ts";

export const newSha256: NewSha256 = () => createHash("sha256");
