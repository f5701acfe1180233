/**
 * Addresses of brokers in KAFKA_BROKERS, and the order in which to try them.
 * @module
 */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, or `[host]:port` for an IPv6 address; the host is without the brackets. */
export function parseAddress(address: string): Address {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
    port: Number(address.slice(colon + 1)),
  };
}

/** Starts with the first address; one that failed is tried again after all others. */
export class Addresses {
  #order: readonly Address[];

  constructor(addresses: readonly string[]) {
    this.#order = addresses.map(parseAddress);
  }

  get count(): number {
    return this.#order.length;
  }

  get first(): Address {
    return this.#order[0]!;
  }

  /** Moves the address to the end, if it is one of these. */
  failed({ host, port }: Address): void {
    const isIt = (address: Address) => address.host === host && address.port === port;
    this.#order = [
      ...this.#order.filter((address) => !isIt(address)),
      ...this.#order.filter(isIt),
    ];
  }
}
