/**
 * Live updates from the server, reconnected whenever the stream breaks.
 * @module
 */

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 5_000;
/** The server sends its status every second; a connection without it is dead. */
const SILENCE_MS = 15_000;
/** A hidden page is paused after this time. */
const HIDDEN_MS = 60_000;

/** @typedef {"connecting" | "live" | "disconnected" | "paused"} Connection */

/**
 * @typedef {object} StreamListener
 * @property {(name: "status" | "counts", data: any) => void} onEvent
 * @property {(connection: Connection) => void} onConnection
 * @property {(reason: string) => void} onRefusal the server answers, but refuses the stream
 */

export class Stream {
  #address = "";
  /** @type {EventSource | null} */
  #source = null;
  #lastEventAt = 0;
  #retryMs = FIRST_RETRY_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {number | null} */
  #hiddenAt = null;
  /** @type {StreamListener} */
  #listener;

  /** @param {StreamListener} listener */
  constructor(listener) {
    this.#listener = listener;
    setInterval(() => this.#watch(), 1_000);
    document.addEventListener("visibilitychange", () => {
      this.#hiddenAt = document.hidden ? performance.now() : null;
      if (!document.hidden && !this.#source) this.#connect();
    });
    addEventListener("online", () => this.#connect());
  }

  /** @param {string} address */
  open(address) {
    this.#address = address;
    this.#connect();
  }

  #connect() {
    this.#close();
    const source = this.#source = new EventSource(this.#address);
    this.#lastEventAt = performance.now();
    for (const name of /** @type {const} */ (["status", "counts"])) {
      source.addEventListener(name, ({ data }) => {
        if (source !== this.#source) return;
        this.#lastEventAt = performance.now();
        this.#retryMs = FIRST_RETRY_MS;
        this.#listener.onConnection("live");
        this.#listener.onEvent(name, JSON.parse(data));
      });
    }
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      const isRefused = source.readyState === EventSource.CLOSED;
      this.#retry();
      if (isRefused) void this.#askWhy();
    });
  }

  /** EventSource does not tell why the server refuses. */
  async #askWhy() {
    const asking = new AbortController();
    try {
      const response = await fetch(this.#address, { signal: asking.signal });
      if (response.ok) asking.abort();
      else this.#listener.onRefusal((await response.json()).error);
    } catch { // does not answer at all, or no longer refuses
    }
  }

  #retry() {
    this.#close();
    this.#listener.onConnection("disconnected");
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #watch() {
    const now = performance.now();
    if (this.#hiddenAt !== null && now - this.#hiddenAt > HIDDEN_MS) {
      if (this.#source) this.#listener.onConnection("paused");
      this.#close();
    } else if (this.#source && now - this.#lastEventAt > SILENCE_MS) this.#retry();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
