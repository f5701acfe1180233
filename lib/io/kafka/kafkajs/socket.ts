/**
 * Sockets to brokers. They receive into one reused buffer, and rotate the addresses of a name that
 * has several.
 * @module
 */

import { Buffer } from "node:buffer";
import { lookup as lookUp, type LookupAddress, type LookupOptions } from "node:dns";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "./kafkajs.ts";

const KEEP_ALIVE_MS = 60_000;
/** Most that one iteration of the event loop receives. With the 64 kB of an ordinary stream, receiving takes twice as long as counting. */
const RECEIVE_BYTES = 512 << 10;

/** Resolves a name to all its addresses. */
type LookUpAll = (
  name: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Rotates the addresses of a name with each lookup: where a host accepts a connection but does not
 * answer, the next one has to go elsewhere.
 */
export function rotating(lookUpAll: LookUpAll): LookupFunction {
  const rotations = new Map<string, number>();
  return (name, options, callback) => {
    lookUpAll(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const rotation = rotations.get(name) ?? 0;
      rotations.set(name, rotation + 1);
      const first = rotation % addresses.length;
      const ordered = [...addresses.slice(first), ...addresses.slice(0, first)];
      if (options.all) callback(null, ordered);
      else callback(null, ordered[0]!.address, ordered[0]!.family);
    });
  };
}

const lookup = rotating(lookUp);

/** Listeners have to copy the socket's data: the next data overwrite the same buffer. */
export const createSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls(
      { host, port, lookup, ...isIP(host) ? {} : { servername: host }, ...ssl },
      onConnect,
    )
    : connectPlain({ host, port, onConnect });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
};

function connectPlain(
  { host, port, onConnect }: Pick<Parameters<ISocketFactory>[0], "host" | "port" | "onConnect">,
): Socket {
  const buffer = Buffer.alloc(RECEIVE_BYTES);
  const callback = (length: number): boolean => socket.emit("data", buffer.subarray(0, length));
  const socket: Socket = connect({ host, port, lookup, onread: { buffer, callback } }, onConnect);
  return socket;
}
