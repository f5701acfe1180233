/**
 * A TCP proxy that does what networks do: it delays, hangs, and cuts.
 * @module
 */

/** Passes bytes between clients and one server, until it is told otherwise. */
export class TcpProxy implements AsyncDisposable {
  /** Each chunk waits so long, in either direction. */
  latencyMs = 0;
  /** How fast the server's bytes are passed on, on each connection. */
  bytesPerSecond = Infinity;
  /** So many pieces of what the server says are passed on each connection; then it hangs. */
  answers = Infinity;
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #connections = new Set<Deno.TcpConn>();
  #passing = Promise.resolve();
  #resume = () => {};
  /** Requests that hold this text get no answer: the connection is cut in its place. */
  #cutAnswersTo: string | null = null;
  #cuts = 0;

  constructor(target: { readonly hostname: string; readonly port: number }) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    void this.#accept();
  }

  /** How many answers were cut off. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Nothing passes any more, but connections stay open and new ones are taken. */
  hang(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#passing = promise;
    this.#resume = resolve;
  }

  /** Everything passes again. */
  resume(): void {
    this.#resume();
  }

  /** Closes all connections; new ones are taken. */
  cut(): void {
    for (const connection of this.#connections) closeQuietly(connection);
    this.#connections.clear();
  }

  /** From now on, cuts the connection in place of the answer to each request that holds `text`; null ends it. */
  cutAnswersTo(text: string | null): void {
    this.#cutAnswersTo = text;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#resume();
    this.cut();
    return Promise.resolve();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) void this.#connect(client);
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    try {
      const server = await Deno.connect(this.#target);
      this.#connections.add(client).add(server);
      let cutsNextAnswer = false;
      const decoder = new TextDecoder("latin1");
      void this.#pump(client, server, (chunk) => {
        const text = this.#cutAnswersTo;
        if (text !== null && decoder.decode(chunk).includes(text)) cutsNextAnswer = true;
        return true;
      });
      let answers = 0;
      void this.#pump(server, client, async ({ length }) => {
        const ms = 1000 * length / this.bytesPerSecond;
        if (ms > 0) await new Promise((wake) => setTimeout(wake, ms));
        if (answers++ >= this.answers) return false;
        if (!cutsNextAnswer) return true;
        this.#cuts++;
        closeQuietly(client);
        closeQuietly(server);
        return false;
      });
    } catch {
      closeQuietly(client);
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    mayPass: (chunk: Uint8Array) => boolean | Promise<boolean>,
  ): Promise<void> {
    const buffer = new Uint8Array(64 << 10);
    try {
      for (;;) {
        const length = await from.read(buffer);
        if (length === null) break;
        if (this.latencyMs > 0) await new Promise((wake) => setTimeout(wake, this.latencyMs));
        await this.#passing;
        let chunk = buffer.subarray(0, length);
        if (!await mayPass(chunk)) return;
        while (chunk.length > 0) chunk = chunk.subarray(await to.write(chunk));
      }
    } catch { /* one of the two is closed */ }
    closeQuietly(from);
    closeQuietly(to);
    this.#connections.delete(from);
    this.#connections.delete(to);
  }
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it is closed already */ }
}
