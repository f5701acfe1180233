/**
 * Answers to requests: what all of them have in common, and the shapes that they come in.
 * @module
 */

import { describe } from "../../core/failure.ts";
import { printableJson } from "../../core/text/printable.ts";
import { log } from "../logs.ts";

/** How a request is refused. */
export interface RefusalOptions extends ErrorOptions {
  /** 400 if not given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that cannot be answered as it is; the message says what to change. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, { status = 400, headers = {}, ...options }: RefusalOptions = {}) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}

/** On every answer: nobody may guess another type, nor use it on a page of another site. */
const COMMON = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** An answer that is never kept. */
export function answer(
  body: string | ReadableStream | null,
  { headers, ...init }: ResponseInit,
): Response {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : null;
  return new Response(bytes ?? body, {
    ...init,
    headers: {
      ...COMMON,
      "cache-control": "no-store",
      ...bytes && { "content-length": String(bytes.length) },
      ...headers,
    },
  });
}

export function text(body: string, { headers, ...init }: ResponseInit = {}): Response {
  return answer(`${body}\n`, {
    ...init,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function json(value: unknown, { headers, ...init }: ResponseInit = {}): Response {
  return answer(`${printableJson(value)}\n`, {
    ...init,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** What a request that failed is answered, in the shape that every client of the API can read. */
export function refusal(error: unknown): Response {
  if (error instanceof RequestError) {
    const { message, status, headers } = error;
    return json({ error: message }, { status, headers });
  }
  log.error("Cannot answer a request: {reason}", { reason: describe(error) });
  return json({ error: "The worker cannot answer this. Its log says why." }, { status: 500 });
}
