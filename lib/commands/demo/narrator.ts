/**
 * Logs the story of `demo`: which lottery announces a jackpot, and how far event time is behind.
 * @module
 */

import type { GeneratedLog } from "../../core/simulation/generated_log.ts";
import { duration } from "../../core/text/numbers.ts";
import type { DemoStatus } from "../../io/http/pipeline_status.ts";
import { log } from "../../io/logs.ts";

const CHECK_INTERVAL_MS = 500;
/** Event time that is further behind than this is mentioned. */
const BEHIND_MS = 60_000;

/** Logs what happens in a generated log, as it happens. */
export class Narrator implements Disposable {
  readonly #log: GeneratedLog;
  readonly #timer: ReturnType<typeof setInterval>;
  #announced: string | null = null;
  #isBehind: boolean;

  constructor(generated: GeneratedLog) {
    this.#log = generated;
    const behindMs = this.#behindMs();
    this.#isBehind = behindMs > BEHIND_MS;
    if (this.#isBehind) {
      log.info(
        "Event time starts {behind} ago, and passes {speed} times as fast until it has caught up",
        {
          behind: duration(behindMs / 1000),
          speed: generated.speed,
        },
      );
    }
    this.#check();
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
  }

  status(): Omit<DemoStatus, "chaos"> {
    return {
      speed: this.#behindMs() > BEHIND_MS ? this.#log.speed : 1,
      jackpot: this.#log.jackpotAt(Date.now()),
    };
  }

  note(): string | null {
    const jackpot = this.#log.jackpotAt(Date.now());
    const behindMs = this.#behindMs();
    const notes = [
      ...behindMs > BEHIND_MS ? [`event time ${duration(behindMs / 1000)} ago`] : [],
      ...jackpot ? [`jackpot: ${jackpot.lotteryName}`] : [],
    ];
    return notes.length === 0 ? null : notes.join(", ");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const jackpot = this.#log.jackpotAt(Date.now());
    if (jackpot && jackpot.lotteryName !== this.#announced) {
      log.info("{lottery} announces a jackpot of {millions} million: a rush begins", {
        lottery: jackpot.lotteryName,
        millions: jackpot.millions,
      });
    }
    this.#announced = jackpot?.lotteryName ?? null;
    if (this.#isBehind && this.#behindMs() <= BEHIND_MS) {
      this.#isBehind = false;
      log.info("Event time has caught up, and passes at normal speed from now on");
    }
  }

  #behindMs(): number {
    const nowMs = Date.now();
    return nowMs - this.#log.eventTimeAt(nowMs);
  }
}
