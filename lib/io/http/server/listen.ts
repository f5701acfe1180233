/**
 * The server: a port, its connections and the parser.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";
import { Acceptor, type ClientLimits } from "./acceptor.ts";
import { createParser, type RequestHandler } from "./exchange.ts";

export interface ListenOptions {
  readonly host: string;
  /** `undefined`: 8000, or the next free port. */
  readonly port: number | undefined;
  /** Overrides of `CLIENT_LIMITS`. */
  readonly limits?: Partial<ClientLimits>;
}

/** Room for the 500 pages that may be open, and more than any well-behaved client needs. */
export const CLIENT_LIMITS: ClientLimits = {
  connections: 1_000,
  requestMs: 10_000,
  responseMs: 60_000,
  unreadBytes: 32 << 20,
};

const FIRST_PORT = 8000;
const PORTS_TO_TRY = 100;
/** How long running requests may delay the shutdown. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Disposing it ends running requests. */
export interface WebServer extends AsyncDisposable {
  readonly url: string;
}

/** @throws {OperatorError} if the port is in use, or this machine does not have the host. */
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
        `Cannot serve the page: port ${candidate} is in use. Set HTTP_PORT to a free port, or unset it to use the next free one.`,
        { cause: error },
      );
    }
  }
}
