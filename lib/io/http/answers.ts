/**
 * Answers to requests: what all of them have in common, and the shapes that they come in.
 * @module
 */

/** A request that cannot be answered as it is; the message says what to change. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;

  constructor(message: string, status = 400, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
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
  return new Response(body, {
    ...init,
    headers: { ...COMMON, "cache-control": "no-store", ...headers },
  });
}

export function text(body: string, { headers, ...init }: ResponseInit = {}): Response {
  return answer(`${body}\n`, {
    ...init,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function json(value: unknown, init: ResponseInit = {}): Response {
  return answer(`${JSON.stringify(value)}\n`, {
    ...init,
    headers: { "content-type": "application/json" },
  });
}
