/**
 * The process that a command runs in, as the command needs it.
 * @module
 */

import type { Config } from "../../core/settings/config.ts";
import type { Terminal } from "../../io/terminal.ts";

export interface Host {
  readonly terminal: Terminal;
  /** The settings, with logs set up as they say. */
  configured(): Promise<Config>;
  /** Where the settings came from, in a few words. */
  settingsOrigin(): string;
  /** Aborts when the process is asked to stop. */
  untilSignal(words: StopWords): AbortSignal;
  /** Writes a line to standard output, with control characters escaped. */
  print(line: string): void;
  /** From now on any failure ends the program with this exit code, unless an `ExitCodeError` has its own. */
  failsWith(exitCode: number): void;
}

/** What is printed at the first signal, and at a second one that does not wait. */
export interface StopWords {
  readonly first: string;
  readonly second: string;
}
