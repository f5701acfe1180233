/**
 * A worker's progress in one line on the terminal, and in a last log line when it stops.
 * @module
 */

import { duration } from "../core/text/numbers.ts";
import { statusLine, type WorkerView } from "../core/text/status_line.ts";
import { log } from "../io/logs.ts";
import type { Terminal } from "../io/terminal.ts";
import type { WorkerState } from "../observers/worker_state.ts";

export interface StatusLineOptions {
  readonly terminal: Terminal;
  readonly state: WorkerState;
  readonly signal: AbortSignal;
  /** What else to mention now, or null. */
  readonly note?: () => string | null;
}

const REPAINT_INTERVAL_MS = 500;

/** Disposing it leaves a clean terminal, and logs what was counted. */
export class StatusLine implements Disposable {
  readonly #options: StatusLineOptions;
  readonly #startedMs = performance.now();
  readonly #repaint = () => this.#paint();
  #address = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StatusLineOptions) {
    this.#options = options;
  }

  /** Shows the line from now on, if this is a terminal. @param address URL of the page. */
  show(address: string): void {
    const { terminal, signal } = this.#options;
    this.#address = address;
    if (!terminal.showsStatus) return;
    this.#timer = setInterval(this.#repaint, REPAINT_INTERVAL_MS);
    signal.addEventListener("abort", this.#repaint);
    this.#paint();
  }

  [Symbol.dispose](): void {
    const { terminal, signal, state: { events, deadLetters } } = this.#options;
    clearInterval(this.#timer);
    signal.removeEventListener("abort", this.#repaint);
    terminal.endStatus();
    if (!signal.aborted) return;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const letters = deadLetters === 1 ? "dead letter" : "dead letters";
    log.info(`Stopped: counted {events} events and kept {deadLetters} ${letters} in {duration}`, {
      events,
      deadLetters,
      duration: duration(seconds),
      seconds: Math.round(seconds * 10) / 10,
    });
  }

  #paint(): void {
    const { terminal } = this.#options;
    terminal.showStatus((columns) =>
      statusLine(this.#view(Date.now()), { columns, hasColors: terminal.hasColors })
    );
  }

  #view(nowMs: number): WorkerView {
    const { state, note } = this.#options;
    const { events, eventsPerSecond, lagRecords, lastCommitMs } = state;
    const away = (["Kafka", "PostgreSQL"] as const).flatMap((system) => {
      const outage = state.outage(system);
      return outage ? [{ system, seconds: (nowMs - outage.sinceMs) / 1000 }] : [];
    });
    return {
      doing: this.#doing(),
      away,
      eventsPerSecond,
      events,
      lagRecords,
      commitAge: lastCommitMs === null ? null : (nowMs - lastCommitMs) / 1000,
      note: note?.() ?? null,
      address: this.#address,
    };
  }

  #doing(): WorkerView["doing"] {
    const { signal, state: { assignedPartitions } } = this.#options;
    if (signal.aborted) return "stopping";
    if (assignedPartitions === null) return "starting";
    return assignedPartitions.length === 0 ? "standing by" : "counting";
  }
}
