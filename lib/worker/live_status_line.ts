/**
 * What a worker does, in one line on the terminal while it works, and in a last log line
 * when it was told to stop.
 * @module
 */

import { OutageBook } from "../core/stats/outage_book.ts";
import { RateMeter } from "../core/stats/rate_meter.ts";
import { duration } from "../core/text/numbers.ts";
import { statusLine, type WorkerView } from "../core/text/status_line.ts";
import type { Commit } from "../core/windowing/pending.ts";
import { log } from "../io/logs.ts";
import type { Terminal } from "../io/terminal.ts";
import { type PipelineObserver, type System, systemName } from "../pipeline/observer.ts";

/** What the line is about besides the pipeline. */
export interface StatusLineOptions {
  readonly terminal: Terminal;
  /** Aborts when the worker is told to stop. */
  readonly signal: AbortSignal;
  /** What else is worth a word now, or null. */
  readonly note?: () => string | null;
}

const REPAINT_INTERVAL_MS = 500;
const RATE_SECONDS = 5;

/** Follows one pipeline. Disposing it leaves a clean terminal, and says what was counted. */
export class StatusLine implements Partial<PipelineObserver>, Disposable {
  readonly #options: StatusLineOptions;
  readonly #startedMs = performance.now();
  readonly #rate = new RateMeter(RATE_SECONDS);
  readonly #outages = new OutageBook<"Kafka" | "PostgreSQL">();
  readonly #repaint = () => this.#paint();
  #lags: ReadonlyMap<number, number> | null = null;
  #partitions: number | null = null;
  #events = 0;
  #deadLetters = 0;
  #committedMs: number | null = null;
  #address = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StatusLineOptions) {
    this.#options = options;
  }

  /** Shows the line from now on, where somebody looks. @param address where the page is. */
  show(address: string): void {
    const { terminal, signal } = this.#options;
    this.#address = address;
    if (!terminal.showsStatus) return;
    this.#timer = setInterval(this.#repaint, REPAINT_INTERVAL_MS);
    signal.addEventListener("abort", this.#repaint);
    this.#paint();
  }

  [Symbol.dispose](): void {
    const { terminal, signal } = this.#options;
    clearInterval(this.#timer);
    signal.removeEventListener("abort", this.#repaint);
    terminal.endStatus();
    if (!signal.aborted) return;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    log.info("Stopped: counted {events} events and kept {deadLetters} dead letters in {duration}", {
      events: this.#events,
      deadLetters: this.#deadLetters,
      duration: duration(seconds),
      seconds: Math.round(seconds * 10) / 10,
    });
  }

  assigned(partitions: readonly number[]): void {
    this.#partitions = partitions.length;
    this.#lags = null;
  }

  committed({ events, deadLetters }: Commit): void {
    this.#committedMs = performance.now();
    this.#events += events;
    this.#deadLetters += deadLetters.length;
    this.#rate.add(events, this.#committedMs);
  }

  lag(lags: ReadonlyMap<number, number>): void {
    this.#lags = lags;
  }

  failed(part: System, error: unknown): void {
    if (systemName(part) === "Kafka") this.#lags = null; // not known any more
    this.#outages.failed(systemName(part), { part, error, nowMs: performance.now() });
  }

  answered(part: System): void {
    this.#outages.answered(systemName(part), part);
  }

  #paint(): void {
    const { terminal } = this.#options;
    terminal.showStatus((columns) =>
      statusLine(this.#view(performance.now()), { columns, hasColors: terminal.hasColors })
    );
  }

  #view(nowMs: number): WorkerView {
    const away = (["Kafka", "PostgreSQL"] as const).flatMap((name) => {
      const outage = this.#outages.get(name);
      return outage ? [{ system: name, seconds: (nowMs - outage.sinceMs) / 1000 }] : [];
    });
    const lags = this.#lags && [...this.#lags.values()];
    return {
      doing: this.#doing(),
      away,
      eventsPerSecond: this.#rate.perSecond(nowMs),
      events: this.#events,
      lagRecords: lags && lags.reduce((sum, lag) => sum + lag, 0),
      commitAge: this.#committedMs === null ? null : (nowMs - this.#committedMs) / 1000,
      note: this.#options.note?.() ?? null,
      address: this.#address,
    };
  }

  #doing(): WorkerView["doing"] {
    if (this.#options.signal.aborted) return "stopping";
    if (this.#partitions === null) return "starting";
    return this.#partitions === 0 ? "standing by" : "counting";
  }
}
