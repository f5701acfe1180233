/**
 * Addresses of brokers as KAFKA_BROKERS has them, and in which order to try them.
 * @module
 */

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, or `[host]:port` for an IPv6 address; the brackets are no part of the host. */
export function parseAddress(address: string): Address {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
    port: Number(address.slice(colon + 1)),
  };
}

/** Begins with the first; one that has failed is tried again after all others. */
export class Addresses {
  #order: readonly Address[];

  constructor(addresses: readonly string[]) {
    this.#order = addresses.map(parseAddress);
  }

  get count(): number {
    return this.#order.length;
  }

  /** The one to try next. */
  get first(): Address {
    return this.#order[0]!;
  }

  /** This one did not answer, if it is one of ours. */
  failed({ host, port }: Address): void {
    const isIt = (address: Address) => address.host === host && address.port === port;
    this.#order = [
      ...this.#order.filter((address) => !isIt(address)),
      ...this.#order.filter(isIt),
    ];
  }
}
