/**
 * A PostgreSQL that needs nothing installed: PGlite behind a socket, so that the
 * same driver and the same SQL run as on a server.
 * @module
 */

import { type ExecProtocolOptionsStream, PGlite, type QueryOptions } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

export class EmbeddedPostgres implements AsyncDisposable {
  readonly url: string;
  readonly #database: PGlite;
  readonly #server: PGLiteSocketServer;
  #isOpen = true;

  private constructor(database: PGlite, server: PGLiteSocketServer) {
    this.#database = database;
    this.#server = server;
    this.url = `postgres://postgres@${server.getServerConn()}/postgres`;
  }

  /** In memory, or in a directory that is made if it is missing. */
  static async open(dataDir?: string): Promise<EmbeddedPostgres> {
    const database = new SharedSession(dataDir === undefined ? {} : { dataDir });
    await database.waitReady;
    // Its connections share one session: enough for the worker's own, its page's and the auditor's.
    const server = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 16 });
    await server.start();
    return new EmbeddedPostgres(database, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#server.stop();
    await this.#database.close();
  }
}

/** The messages that end a query, by their first byte; a startup message begins with its length. */
const ENDS_OF_QUERY = new Set(["Q", "S", "X", "\0"].map((type) => type.charCodeAt(0)));
/** A client sends all messages of a query at once: then its connection was closed among them. */
const ABANDONED_MS = 5_000;
const SYNC = new Uint8Array(["S".charCodeAt(0), 0, 0, 0, 4]);

/**
 * One session for several connections. A query with parameters is several messages, which share an
 * unnamed statement: as in a transaction, no message of another connection may come between them.
 * The server sees to that for transactions, which is why a query that has begun counts as one.
 */
class SharedSession extends PGlite {
  #isInQuery = false;
  #abandoned: ReturnType<typeof setTimeout> | undefined;

  override isInTransaction(): boolean {
    return this.#isInQuery || super.isInTransaction();
  }

  override async execProtocolRawStream(
    message: Uint8Array,
    options: ExecProtocolOptionsStream,
  ): Promise<void> {
    clearTimeout(this.#abandoned);
    this.#isInQuery = !ENDS_OF_QUERY.has(message[0]!);
    await super.execProtocolRawStream(message, options);
    if (this.#isInQuery) {
      this.#abandoned = setTimeout(
        () => void this.runExclusive(() => this.#endQuery()),
        ABANDONED_MS,
      );
    }
  }

  /** Only when a connection was closed within a transaction, or a query: then it ends that first. */
  override async exec(query: string, options?: QueryOptions): ReturnType<PGlite["exec"]> {
    await this.#endQuery();
    return await super.exec(query, options);
  }

  override async close(): Promise<void> {
    clearTimeout(this.#abandoned);
    await super.close();
  }

  async #endQuery(): Promise<void> {
    if (this.#isInQuery) await this.execProtocolRawStream(SYNC, { onRawData: () => {} });
  }
}
