/**
 * Sockets to brokers that receive into one buffer, over and over, and of a name with several
 * addresses begin with another one each time.
 * @module
 */

import { Buffer } from "node:buffer";
import { lookup as lookUp, type LookupAddress, type LookupOptions } from "node:dns";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "./kafkajs.ts";

const KEEP_ALIVE_MS = 60_000;
/** As much as one turn of the event loop may receive. With the 64 kB of an ordinary stream, receiving takes twice as long as counting. */
const RECEIVE_BYTES = 512 << 10;

/** Looks up all addresses of a name. */
type LookUpAll = (
  name: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Gives the addresses of a name in another order every time: where a connection is taken and
 * nothing answers, the next one has to be made elsewhere.
 */
export function inTurns(lookUpAll: LookUpAll): LookupFunction {
  const turns = new Map<string, number>();
  return (name, options, callback) => {
    lookUpAll(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const turn = turns.get(name) ?? 0;
      turns.set(name, turn + 1);
      const first = turn % addresses.length;
      const ordered = [...addresses.slice(first), ...addresses.slice(0, first)];
      if (options.all) callback(null, ordered);
      else callback(null, ordered[0]!.address, ordered[0]!.family);
    });
  };
}

const lookup = inTurns(lookUp);

/** Whoever takes a socket's data has to copy it: the next data come into the same bytes. */
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
