/**
 * Listening for requests.
 * @module
 */

import { atMost } from "../../condition.ts";
import { OperatorError } from "../../core/failure.ts";

/** Where to listen. */
export interface ListenOptions {
  readonly host: string;
  /** `undefined`: 8000, or the next free one. */
  readonly port: number | undefined;
}

const FIRST_PORT = 8000;
const PORTS_TO_TRY = 100;
/** How long requests under way may hold up the end. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A web server that is open; disposing it ends the requests under way. */
export interface WebServer extends AsyncDisposable {
  /** Where to point a browser. */
  readonly url: string;
}

/**
 * Serves `handler`.
 * @throws {OperatorError} if the port is taken or the host is not ours.
 */
export function listen(
  handler: (request: Request) => Promise<Response>,
  { host, port }: ListenOptions,
): WebServer {
  const last = port ?? FIRST_PORT + PORTS_TO_TRY - 1;
  for (let candidate = port ?? FIRST_PORT;; candidate++) {
    try {
      const options = { hostname: host, port: candidate, onListen: () => {} };
      const server = Deno.serve(options, handler);
      const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
      return {
        url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${server.addr.port}/`,
        [Symbol.asyncDispose]: () => atMost(CLOSE_TIMEOUT_MS, server.shutdown()),
      };
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) {
        throw new OperatorError(
          `Cannot serve the page on ${host}:${candidate}: check HTTP_HOST and HTTP_PORT.`,
          { cause: error },
        );
      }
      if (candidate < last) continue;
      throw new OperatorError(
        `Cannot serve the page: port ${candidate} is in use. Set HTTP_PORT to a free one, or leave it unset to have one chosen.`,
        { cause: error },
      );
    }
  }
}
