/**
 * One client's connection, as the HTTP parser takes it. It serves one request; a client that is too
 * slow to send it, or to read the response, is disconnected.
 * @module
 */

import { Duplex } from "node:stream";

export interface Timeouts {
  /** From connecting to the end of the request's headers. */
  readonly requestMs: number;
  /** For each part of a response that is written. */
  readonly responseMs: number;
}

const READ_BYTES = 4_096;

export class ClientConnection extends Duplex {
  readonly #connection: Deno.Conn;
  readonly #timeouts: Timeouts;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRequested = false;

  constructor(connection: Deno.Conn, timeouts: Timeouts) {
    super();
    this.#connection = connection;
    this.#timeouts = timeouts;
    this.#setTimeout(timeouts.requestMs);
  }

  /** The request has arrived, up to the end of its headers. */
  get isRequested(): boolean {
    return this.#isRequested;
  }

  requested(): void {
    this.#isRequested = true;
    clearTimeout(this.#timer);
  }

  /** Closes it once everything is written, even if the client keeps its side open. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy()).end();
  }

  override _read(): void {
    this.#connection.read(this.#buffer).then(
      (bytes) => this.push(bytes === null ? null : this.#buffer.slice(0, bytes)),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Uint8Array, _: unknown, done: (error?: Error) => void): void {
    this.emit("writing", bytes.length);
    if (this.destroyed) return done();
    this.#setTimeout(this.#timeouts.responseMs);
    writeAll(this.#connection, bytes).finally(() => clearTimeout(this.#timer)).then(
      () => done(),
      done,
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#connection.close();
    done(error);
  }

  #setTimeout(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), timeoutMs);
    Deno.unrefTimer(this.#timer);
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
