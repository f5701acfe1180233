/**
 * Sockets to brokers that receive into one buffer, over and over.
 * @module
 */

import { Buffer } from "node:buffer";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "./kafkajs.ts";

const KEEP_ALIVE_MS = 60_000;
/** As much as one turn of the event loop may receive. With the 64 kB of an ordinary stream, receiving takes twice as long as counting. */
const RECEIVE_BYTES = 512 << 10;

/** Whoever takes a socket's data has to copy it: the next data come into the same bytes. */
export const createSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectPlain({ host, port, onConnect });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
};

function connectPlain(
  { host, port, onConnect }: Pick<Parameters<ISocketFactory>[0], "host" | "port" | "onConnect">,
): Socket {
  const buffer = Buffer.alloc(RECEIVE_BYTES);
  const callback = (length: number): boolean => socket.emit("data", buffer.subarray(0, length));
  const socket: Socket = connect({ host, port, onread: { buffer, callback } }, onConnect);
  return socket;
}
