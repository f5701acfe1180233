/**
 * A PostgreSQL that needs nothing installed: PGlite behind a socket, so that the
 * same driver and the same SQL run as on a server.
 * @module
 */

import { PGlite } from "@electric-sql/pglite";
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
    const database = await PGlite.create(dataDir === undefined ? {} : { dataDir });
    // Its connections share one session: enough for the worker's own and its page's.
    const server = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 8 });
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
