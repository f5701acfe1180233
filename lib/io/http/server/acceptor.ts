/**
 * Accepts connections, but never more than the worker can bear: counting needs its memory, and its
 * connections to Kafka and PostgreSQL need file descriptors too.
 * @module
 */

import { Condition } from "../../../async/condition.ts";
import { delay } from "../../../async/delay.ts";
import { describe } from "../../../core/failure.ts";
import { log } from "../../logs.ts";
import { ClientConnection, type Patience } from "./client_connection.ts";

/** What clients may use. */
export interface ClientLimits extends Patience {
  readonly connections: number;
  /** Bytes of answers that clients have not taken yet, of all connections together. */
  readonly unreadBytes: number;
}

/** File descriptors that are left to everything else once there are no more. */
const SPARE_DESCRIPTORS = 32;
const MIN_CONNECTIONS = 16;
const RETRY_MS = 100;

/** Answers that are smaller stay in the buffers of their connections, which are few enough. */
const LARGE_BYTES = 64 << 10;

/** Accepts until it is closed. */
export class Acceptor {
  readonly #listener: Deno.TcpListener;
  readonly #limits: ClientLimits;
  readonly #onConnection: (connection: ClientConnection) => void;
  /** In the order in which they came. */
  readonly #open = new Set<ClientConnection>();
  readonly #closed = new Condition();
  #maxConnections: number;
  #hasFailed = false;
  #isListening = true;

  constructor(
    listener: Deno.TcpListener,
    { limits, onConnection }: {
      readonly limits: ClientLimits;
      readonly onConnection: (connection: ClientConnection) => void;
    },
  ) {
    this.#listener = listener;
    this.#limits = limits;
    this.#maxConnections = limits.connections;
    this.#onConnection = onConnection;
    void this.#accept();
  }

  /** Accepts no more. Resolves when all connections are closed, which may take `timeoutMs` at most. */
  async close(timeoutMs: number): Promise<void> {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#listener.close();
    await this.#closed.until(() => this.#open.size === 0, { timeoutMs });
    for (const connection of this.#open) connection.destroy();
  }

  async #accept(): Promise<void> {
    while (this.#isListening) {
      try {
        this.#add(await this.#listener.accept());
      } catch (error) {
        if (!this.#isListening) return;
        this.#failed(error);
        await delay(RETRY_MS);
      }
    }
  }

  #add(accepted: Deno.TcpConn): void {
    if (this.#open.size >= this.#maxConnections && !this.#evict()) return accepted.close();
    accepted.setNoDelay(true);
    const connection = new ClientConnection(accepted, this.#limits);
    this.#open.add(connection);
    connection.on("error", () => {}); // its end is all that matters
    connection.once("close", () => {
      this.#open.delete(connection);
      this.#closed.notify();
    });
    connection.on("writing", (bytes) => {
      if (bytes >= LARGE_BYTES) this.#limitUnread();
    });
    this.#onConnection(connection);
  }

  /** Keeps answers that nobody takes from filling the memory: the largest go first. */
  #limitUnread(): void {
    const largestFirst = [...this.#open].sort((a, b) => b.writableLength - a.writableLength);
    let unread = largestFirst.reduce((sum, { writableLength }) => sum + writableLength, 0);
    for (const connection of largestFirst) {
      if (unread <= this.#limits.unreadBytes) return;
      unread -= connection.writableLength;
      connection.destroy();
    }
  }

  /**
   * Ends the oldest connection that has not sent its request. Clients send it at once, so a flood
   * of connections without one does not keep them out. @returns false if there is none.
   */
  #evict(): boolean {
    for (const connection of this.#open) {
      if (connection.isRequested) continue;
      this.#open.delete(connection);
      connection.destroy();
      return true;
    }
    return false;
  }

  /** Tried again, whatever it was; told once. */
  #failed(error: unknown): void {
    if (error instanceof Error && "code" in error && error.code === "EMFILE") {
      const most = Math.max(MIN_CONNECTIONS, this.#open.size - SPARE_DESCRIPTORS);
      this.#maxConnections = Math.min(this.#maxConnections, most);
      while (this.#open.size > this.#maxConnections) if (!this.#evict()) break;
    }
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    log.warn("Cannot accept a connection, and will try again ({reason}). Limit: {connections}", {
      reason: describe(error),
      connections: this.#maxConnections,
    });
  }
}
