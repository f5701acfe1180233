/**
 * The program on a terminal: its output goes to a pseudo-terminal, and keys come from there.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { rowsShown } from "./screen.ts";
import { type Environment, programEnv, ROOT, taskFlags } from "./worker_process.ts";

export interface PseudoTerminalOptions {
  /** Width of the terminal. */
  readonly columns: number;
  /** As for `Program`. */
  readonly env: Environment;
}

export const CTRL_C = "\x03";

/** A terminal in which `main.ts` runs. Closed when it is disposed. */
export class PseudoTerminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #columns: number;
  readonly #read: Promise<void>;
  #written = "";

  private constructor(child: Deno.ChildProcess, columns: number) {
    this.#child = child;
    this.#columns = columns;
    this.#read = this.#collect();
  }

  /** Starts `main.ts` with these arguments, none of which may need quotes. */
  static async start(
    args: readonly string[],
    { columns, env }: PseudoTerminalOptions,
  ): Promise<PseudoTerminal> {
    const flags = await taskFlags(args[0]!);
    const main = join(ROOT, "main.ts");
    const run = [Deno.execPath(), "run", "--quiet", ...flags, main, ...args];
    const child = new Deno.Command("script", {
      args: ["-qefc", `stty columns ${columns} rows 24; exec ${run.join(" ")}`, "/dev/null"],
      cwd: import.meta.dirname!, // which holds no `.env`
      clearEnv: true,
      env: programEnv({ TERM: "xterm-256color", SHELL: "/bin/sh", ...env }),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new PseudoTerminal(child, columns);
  }

  /** All that was written to it. */
  get written(): string {
    return this.#written;
  }

  /** What stands on it. */
  get rows(): string[] {
    return rowsShown(this.#written, this.#columns);
  }

  /** Resolves when its last row matches. */
  async shows(pattern: RegExp): Promise<void> {
    try {
      await eventually(() => pattern.test(this.rows.at(-1)!));
    } catch (error) {
      throw new Error(`It shows:\n${this.rows.join("\n")}`, { cause: error });
    }
  }

  /** Presses a key. */
  async press(key: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(key));
    writer.releaseLock();
  }

  /** The program's exit code, once it has ended. */
  async exitCode(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL"); // the terminal hangs up, which ends the program
    } catch { /* it has ended */ }
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
    await this.#read;
  }

  async #collect(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#written += text;
    }
  }
}
