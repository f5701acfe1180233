/**
 * One connection of a client, as the HTTP parser takes it. It serves one request, and a client that
 * neither sends it nor takes the answer within a time is disconnected.
 * @module
 */

import { Duplex } from "node:stream";

/** How long a client may take. */
export interface Patience {
  /** From connecting to the end of the request's headers. */
  readonly requestMs: number;
  /** For each part of an answer that is written. */
  readonly answerMs: number;
}

const READ_BYTES = 4_096;

export class ClientConnection extends Duplex {
  readonly #connection: Deno.Conn;
  readonly #patience: Patience;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** Ends it unless the client does in time what it is expected to do. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRequested = false;

  constructor(connection: Deno.Conn, patience: Patience) {
    super();
    this.#connection = connection;
    this.#patience = patience;
    this.#expect(patience.requestMs);
  }

  /** The whole head of the request is there. */
  get isRequested(): boolean {
    return this.#isRequested;
  }

  /** Called when the head of the request is there. */
  requested(): void {
    this.#isRequested = true;
    clearTimeout(this.#timer);
  }

  /** Closes it once everything is written, whether or not the client closes its side. */
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
    this.#expect(this.#patience.answerMs);
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

  #expect(withinMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), withinMs);
    Deno.unrefTimer(this.#timer);
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
