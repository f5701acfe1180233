/**
 * A stream of server-sent events to one browser. Events that a slow browser has no room for are
 * dropped, not buffered.
 * @module
 */

import type { Subscriber } from "./feed.ts";
import { respond } from "./responses.ts";

/** Events that may wait for a browser; later ones are dropped, as newer ones will follow. */
const MAX_QUEUED = 4;
/** A browser that has missed more events in a row has stopped reading. */
const MAX_DROPPED = 60;

/** How long a browser waits before it reconnects. */
const RETRY_MS = 2_000;

export class EventStream {
  readonly response: Response;
  readonly #encoder = new TextEncoder();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #dropped = 0;
  #isOpen = true;
  readonly #onEnd: () => void;

  /** @param onEnd called once, when either side has ended the stream. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#ended(),
    }, { highWaterMark: MAX_QUEUED });
    this.response = respond(body, {
      headers: {
        "content-type": "text/event-stream",
        // A proxy that compresses or buffers would hold events back.
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
    this.#sendText(`retry: ${RETRY_MS}\n\n`);
  }

  /** Sends an event, or drops it if the browser has too many unread ones. */
  readonly send: Subscriber = (event) => {
    if (!this.#isOpen) return;
    if (this.#controller.desiredSize! > 0) {
      this.#dropped = 0;
      this.#controller.enqueue(event);
    } else if (++this.#dropped > MAX_DROPPED) {
      this.#controller.error(new Error("The client has stopped reading"));
      this.#ended();
    }
  };

  /** Sends a comment, so that the connection is not taken for dead. */
  heartbeat(): void {
    this.#sendText(":\n\n");
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#controller.close();
    this.#ended();
  }

  #sendText(text: string): void {
    this.send(this.#encoder.encode(text));
  }

  #ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onEnd();
  }
}
