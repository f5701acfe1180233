/**
 * `demo` audits itself, so that its page says whether its rows agree.
 * @module
 */

import { Auditor, type AuditorOptions } from "../../auditor/auditor.ts";
import type { AuditNote } from "../../core/audit/audit_note.ts";
import type { AuditedLog } from "../../core/audit/audited_log.ts";
import type { Config } from "../../core/settings/config.ts";
import { log } from "../../io/logs.ts";

export interface AuditingOptions extends Pick<AuditorOptions, "fullEveryMs" | "intervalMs"> {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly log: AuditedLog;
  readonly heard: (note: AuditNote) => void;
}

export class Auditing {
  readonly #options: AuditingOptions;

  constructor(options: AuditingOptions) {
    this.#options = options;
  }

  /** Audits until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#audit(this.#options, signal);
  }

  /** Recounts everything once. */
  async runOnce(): Promise<void> {
    const once = new AbortController();
    await this.#audit({ ...this.#options, fullEveryMs: 0 }, once.signal, () => once.abort());
  }

  async #audit(options: AuditingOptions, signal: AbortSignal, ended = () => {}): Promise<void> {
    const { config: { kafka: { topic }, windowMs, maxFutureMs }, heard } = options;
    await new Auditor({
      ...options,
      ...{ topic, windowMs, maxFutureMs },
      onRound: (_report, note) => {
        if (note.verdict === "wrong") {
          log.error("The audit has found that not all rows agree: {what}", {
            what: note.firstWrong.join("; "),
          });
        }
        heard(note);
        ended();
      },
    }).run(signal);
  }
}
