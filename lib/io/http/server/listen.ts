/**
 * Listening for requests.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";
import { Acceptor, type ClientLimits } from "./acceptor.ts";
import { createParser, type RequestHandler } from "./exchange.ts";

/** Where to listen. */
export interface ListenOptions {
  readonly host: string;
  /** `undefined`: 8000, or the next free one. */
  readonly port: number | undefined;
  /** Where they differ from `CLIENT_LIMITS`. */
  readonly limits?: Partial<ClientLimits>;
}

/** More than the 500 pages that may be open, and than anybody needs who means well. */
export const CLIENT_LIMITS: ClientLimits = {
  connections: 1_000,
  requestMs: 10_000,
  answerMs: 60_000,
  unreadBytes: 32 << 20,
};

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
  handler: RequestHandler,
  { host, port, limits }: ListenOptions,
): WebServer {
  const listener = openPort(host, port);
  const parser = createParser(handler);
  const acceptor = new Acceptor(listener, {
    limits: { ...CLIENT_LIMITS, ...limits },
    onConnection: (connection) => parser.emit("connection", connection),
  });
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return {
    url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${listener.addr.port}/`,
    [Symbol.asyncDispose]: () => acceptor.close(CLOSE_TIMEOUT_MS),
  };
}

function openPort(host: string, port: number | undefined): Deno.TcpListener {
  const last = port ?? FIRST_PORT + PORTS_TO_TRY - 1;
  for (let candidate = port ?? FIRST_PORT;; candidate++) {
    try {
      return Deno.listen({ hostname: host, port: candidate });
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
