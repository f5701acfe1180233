/**
 * The process that a command runs in, as the command needs it.
 * @module
 */

import type { Config } from "../../core/settings/config.ts";
import type { Terminal } from "../../io/terminal.ts";

/** What the commands need of the process that they run in. */
export interface Host {
  readonly terminal: Terminal;
  /** The settings, with logs set up as they say. */
  configured(): Promise<Config>;
  /** Where they came from, in a few words. */
  settingsOrigin(): string;
  /** Aborts when the process is asked to stop. */
  untilSignal(words: StopWords): AbortSignal;
  /** Writes a line to standard output; what a terminal would obey in it is escaped. */
  print(line: string): void;
  /** From now on, whatever goes wrong ends the program with this exit code, unless an `ExitCodeError` has one. */
  failsWith(exitCode: number): void;
}

/** What is said at the first signal, and at one that cannot wait. */
export interface StopWords {
  readonly first: string;
  readonly second: string;
}
