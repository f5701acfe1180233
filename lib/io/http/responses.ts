/**
 * Responses of the web server: the headers that all of them have, and the formats they come in.
 * @module
 */

import { describe } from "../../core/failure.ts";
import { printableJson } from "../../core/text/printable.ts";
import { log } from "../logs.ts";

export interface RequestErrorOptions extends ErrorOptions {
  /** 400 if not given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused; the message says what to change. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    { status = 400, headers = {}, ...options }: RequestErrorOptions = {},
  ) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}

/** Browsers may neither guess another type nor embed a response in a page of another site. */
const COMMON_HEADERS = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** Never cached, unless `headers` say otherwise. */
export function respond(
  body: string | ReadableStream | null,
  { headers, ...init }: ResponseInit,
): Response {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : null;
  return new Response(bytes ?? body, {
    ...init,
    headers: {
      ...COMMON_HEADERS,
      "cache-control": "no-store",
      ...bytes && { "content-length": String(bytes.length) },
      ...headers,
    },
  });
}

export function text(body: string, { headers, ...init }: ResponseInit = {}): Response {
  return respond(`${body}\n`, {
    ...init,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function json(value: unknown, { headers, ...init }: ResponseInit = {}): Response {
  return respond(`${printableJson(value)}\n`, {
    ...init,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** The JSON that every failed request gets. Reasons that are not the client's fault are only logged. */
export function errorResponse(error: unknown): Response {
  if (error instanceof RequestError) {
    const { message, status, headers } = error;
    return json({ error: message }, { status, headers });
  }
  log.error("Cannot answer a request: {reason}", { reason: describe(error) });
  return json({ error: "Internal error. See the worker's log." }, { status: 500 });
}
