/**
 * Accepts connections, but never more than the worker can afford: counting needs its memory, and the
 * connections to Kafka and PostgreSQL need file descriptors too.
 * @module
 */

import { Condition } from "../../../async/condition.ts";
import { delay } from "../../../async/delay.ts";
import { describe } from "../../../core/failure.ts";
import { log } from "../../logs.ts";
import { ClientConnection, type Timeouts } from "./client_connection.ts";

export interface ClientLimits extends Timeouts {
  readonly connections: number;
  /** Bytes of responses that clients have not read yet, over all connections. */
  readonly unreadBytes: number;
}

/** File descriptors that are reserved for everything else once they have run out. */
const SPARE_DESCRIPTORS = 32;
const MIN_CONNECTIONS = 16;
const RETRY_MS = 100;

/** Smaller responses fit into the buffers of their connections, which are few enough. */
const LARGE_BYTES = 64 << 10;

export class Acceptor {
  readonly #listener: Deno.TcpListener;
  readonly #limits: ClientLimits;
  readonly #onConnection: (connection: ClientConnection) => void;
  /** Oldest first. */
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

  /** Accepts no more. Resolves when all connections are closed, after `timeoutMs` at the latest. */
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
    connection.on("error", () => {}); // "close" follows
    connection.once("close", () => {
      this.#open.delete(connection);
      this.#closed.notify();
    });
    connection.on("writing", (bytes) => {
      if (bytes >= LARGE_BYTES) this.#limitUnread();
    });
    this.#onConnection(connection);
  }

  /** Keeps unread responses from filling the memory: the largest are dropped first. */
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
   * Closes the oldest connection that has not sent its request. Real clients send it at once, so a
   * flood of silent connections does not keep them out. @returns false without one.
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

  /** Every error is retried, but only the first is logged. */
  #failed(error: unknown): void {
    if (error instanceof Error && "code" in error && error.code === "EMFILE") {
      const limit = Math.max(MIN_CONNECTIONS, this.#open.size - SPARE_DESCRIPTORS);
      this.#maxConnections = Math.min(this.#maxConnections, limit);
      while (this.#open.size > this.#maxConnections) if (!this.#evict()) break;
    }
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    log.warn(
      "Cannot accept a connection, retrying: {reason}. Connections are limited to {connections}",
      {
        reason: describe(error),
        connections: this.#maxConnections,
      },
    );
  }
}
