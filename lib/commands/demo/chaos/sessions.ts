/**
 * The way to the database, which can be cut.
 * @module
 */

/** Passes bytes between a server's clients and the server. */
export class Sessions implements AsyncDisposable {
  /** Leads to the server through here. */
  readonly url: string;
  readonly #listener: Deno.TcpListener;
  readonly #server: { readonly hostname: string; readonly port: number };
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  #opened = 0;

  constructor(url: string) {
    const through = new URL(url);
    this.#server = { hostname: through.hostname, port: Number(through.port) };
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    through.host = `127.0.0.1:${this.#listener.addr.port}`;
    this.url = through.href;
    this.#accepting = this.#accept();
  }

  /** How many were opened so far. */
  get opened(): number {
    return this.#opened;
  }

  /** Ends all that are open. @returns how many. */
  cut(): number {
    const count = this.#open.size;
    for (const connection of this.#open) closeQuietly(connection);
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) void this.#pass(client);
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    this.#opened++;
    let server: Deno.TcpConn | null = null;
    try {
      server = await Deno.connect(this.#server);
      await Promise.race([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
    } catch {
      /* either end notices that its connection is closed */
    } finally {
      closeQuietly(client);
      if (server) closeQuietly(server);
      this.#open.delete(client);
    }
  }
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it is closed already */ }
}
