/**
 * Connects the HTTP parser to the handler: a message becomes a Request, and the Response is sent.
 * @module
 */

import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import { errorResponse, RequestError } from "../responses.ts";
import type { ClientConnection } from "./client_connection.ts";

/** Never rejects. */
export type RequestHandler = (request: Request) => Promise<Response>;

/** A name or an address, optionally with a port. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** Serves the connections that its event `connection` is emitted with. */
export function createParser(handler: RequestHandler): Server {
  const parser = createServer((incoming, outgoing) => {
    const connection = incoming.socket as Duplex as ClientConnection;
    // The connection ends with the first response, so pipelined requests are not served.
    if (connection.isRequested) return void connection.destroy();
    connection.requested();
    for (const side of [incoming, outgoing]) side.on("error", () => {}); // the connection handles it
    void answerTo(incoming, handler).then((response) => send(response, outgoing));
  });
  parser.on("clientError", ({ code }: Error & { readonly code?: string }, connection: Duplex) => {
    refuse(connection as ClientConnection, code === "HPE_HEADER_OVERFLOW" ? 431 : 400);
  });
  parser.on("connect", (_: IncomingMessage, connection: Duplex) => {
    refuse(connection as ClientConnection, 405);
  });
  return parser;
}

async function answerTo(incoming: IncomingMessage, handler: RequestHandler): Promise<Response> {
  try {
    return await handler(toRequest(incoming));
  } catch (error) {
    return errorResponse(error);
  }
}

/** @throws {RequestError} if it is invalid. */
function toRequest({ method = "", url: target = "", headersDistinct }: IncomingMessage): Request {
  const hosts = headersDistinct.host ?? ["localhost"]; // HTTP/1.0 needs none
  if (hosts.length > 1 || !HOST.test(hosts[0]!)) {
    throw new RequestError("The Host header must be a name or an address, optionally with a port.");
  }
  const url = target.startsWith("/") ? `http://${hosts[0]}${target}` : target;
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value])
  );
  try {
    return new Request(url, { method, headers });
  } catch (error) {
    throw new RequestError("The method, URL or headers of the request are invalid.", {
      cause: error,
    });
  }
}

/** Sends a response as fast as the client reads it; resolves when it is sent, or the client is gone. */
async function send(
  { status, headers, body }: Response,
  outgoing: ServerResponse,
): Promise<void> {
  if (outgoing.destroyed) return void await body?.cancel().catch(() => {});
  const gone = new AbortController();
  const reader = body?.getReader();
  outgoing.once("close", () => {
    gone.abort();
    reader?.cancel().catch(() => {});
  });
  try {
    outgoing.shouldKeepAlive = false;
    outgoing.writeHead(status, [...headers].flat());
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      if (!outgoing.write(part.value)) await once(outgoing, "drain", { signal: gone.signal });
    }
    outgoing.end();
  } catch { // the client is gone, or too slow
    outgoing.destroy();
  }
}

/** Answers what cannot be parsed as a request. */
function refuse(connection: ClientConnection, status: number): void {
  if (!connection.writable) return;
  connection.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n\r\n`);
  connection.destroySoon();
}
