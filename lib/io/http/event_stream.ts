/**
 * A stream of server-sent events to one browser. What it does not read is not kept for it.
 * @module
 */

import { answer } from "./answers.ts";
import type { Listener } from "./feed.ts";

/** Events that may wait for a browser; those that come then are left out, as newer ones follow. */
const MAX_QUEUED = 4;
/** After so many that were left out in a row nobody reads any more. */
const MAX_SKIPPED = 60;

/** How long a browser waits before it connects anew. */
const RETRY_MS = 2_000;

export class EventStream {
  readonly response: Response;
  readonly #encoder = new TextEncoder();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #leftOut = 0;
  #isOpen = true;
  readonly #onEnd: () => void;

  /** @param onEnd called once, when either side has ended it. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#ended(),
    }, { highWaterMark: MAX_QUEUED });
    this.response = answer(body, {
      headers: {
        "content-type": "text/event-stream",
        // Whoever compresses on the way would keep events back.
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
    this.#send(`retry: ${RETRY_MS}\n\n`);
  }

  /** Sends an event, or leaves it out if earlier ones are not read yet. */
  readonly send: Listener = (event) => {
    if (!this.#isOpen) return;
    if (this.#controller.desiredSize! > 0) {
      this.#leftOut = 0;
      this.#controller.enqueue(event);
    } else if (++this.#leftOut > MAX_SKIPPED) this.#cut();
  };

  /** A comment, which keeps the connection from being taken for dead. */
  beat(): void {
    this.#send(":\n\n");
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#controller.close();
    this.#ended();
  }

  /** Ends it without what is waiting. */
  #cut(): void {
    this.#controller.error(new Error("Nobody reads"));
    this.#ended();
  }

  #send(text: string): void {
    this.send(this.#encoder.encode(text));
  }

  #ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onEnd();
  }
}
