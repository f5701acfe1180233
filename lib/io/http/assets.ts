/**
 * The files of the page. Browsers may cache them, and ask whether they have changed.
 * @module
 */

import { createHash } from "node:crypto";
import { PAGE_FILES, type PageFile } from "./page/files.ts";
import { respond } from "./responses.ts";

/** Only what this server provides: no inline script or style, no other host, no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const FILES: ReadonlyMap<string, PageFile & { readonly tag: string }> = new Map(
  PAGE_FILES.map((file) => [file.path, { ...file, tag: tagOf(file.text) }]),
);

/** The file at that path, or null; without a body if the browser has it already. */
export function asset(path: string, { headers }: Request): Response | null {
  const file = FILES.get(path);
  if (!file) return null;
  const isCached = headers.get("if-none-match")?.includes(file.tag);
  return respond(isCached ? null : file.text, {
    status: isCached ? 304 : 200,
    headers: {
      "content-type": file.type,
      "content-security-policy": POLICY,
      "cache-control": "no-cache", // revalidated every time
      "etag": file.tag,
    },
  });
}

function tagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, 16)}"`;
}
