/**
 * Server-sent events, read one by one.
 */

/** What a stream has sent: the events by name, comments and retry times left out. */
export class ServerEvents implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Data of the next event of that name; null at the end of the stream. */
  // deno-lint-ignore no-explicit-any -- whatever the server tells
  async next(name: string): Promise<any> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        this.#text += value;
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const [, data] = block.match(new RegExp(`^event: ${name}\\ndata: (.*)$`)) ?? [];
      if (data !== undefined) return JSON.parse(data);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
