/**
 * The files of the page, as answers that browsers may keep as long as they are the same.
 * @module
 */

import { createHash } from "node:crypto";
import { answer } from "./answers.ts";
import { PAGE_FILES, type PageFile } from "./page/files.ts";

/** Nothing but what this server gives: no inline script or style, no other host, no frame. */
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

/** The file at that path, or null; without a body if the browser has this one. */
export function asset(path: string, { headers }: Request): Response | null {
  const file = FILES.get(path);
  if (!file) return null;
  const isKnown = headers.get("if-none-match")?.includes(file.tag);
  return answer(isKnown ? null : file.text, {
    status: isKnown ? 304 : 200,
    headers: {
      "content-type": file.type,
      "content-security-policy": POLICY,
      "cache-control": "no-cache", // asks each time whether it is still the same
      "etag": file.tag,
    },
  });
}

function tagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, 16)}"`;
}
