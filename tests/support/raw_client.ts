/**
 * A client that sends whatever it likes, byte by byte.
 */

/** One connection; closed when it is disposed. */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(url: string): Promise<RawClient> {
    const port = Number(new URL(url).port);
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends a text, with the ends of lines that HTTP has. */
  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text.replaceAll("\n", "\r\n"));
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** What comes first; nothing if the other side ends the connection instead. */
  async read(): Promise<string> {
    const bytes = new Uint8Array(10_000);
    const length = await this.#connection.read(bytes).catch(() => null);
    return new TextDecoder().decode(bytes.subarray(0, length ?? 0));
  }

  /** Resolves with all that comes, when the other side has ended the connection. */
  async readToEnd(): Promise<string> {
    let text = "";
    for (let part = await this.read(); part !== ""; part = await this.read()) text += part;
    return text;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** What a server answers to a text, up to the end of the connection. */
export async function answerTo(url: string, text: string): Promise<string> {
  using client = await RawClient.connect(url);
  await client.send(text);
  return await client.readToEnd();
}
