/**
 * The program as its users start it: a process with arguments, environment and signals.
 * @module
 */

import { join } from "node:path";
import { eventually } from "./eventually.ts";

export const ROOT = join(import.meta.dirname!, "..", "..");

export interface ProgramOptions {
  /** All that it gets, besides what the runtime itself needs and addresses that lead nowhere. */
  readonly env?: Environment;
  /** Where it runs; by default a directory that holds no `.env`. */
  readonly cwd?: string;
  readonly stdin?: "null" | "piped";
  /** Flags of the runtime in place of those of the task. */
  readonly flags?: readonly string[];
  /** How many files and connections it may have open. */
  readonly openFiles?: number;
}

/** Variables to set; undefined ones are left out. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** By default the program would use the servers of this machine, which may be somebody's. */
const NOWHERE: Environment = {
  KAFKA_BROKERS: "127.0.0.1:1",
  DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing",
};

/** The environment of a program that is to have these variables. */
export function programEnv(env: Environment): Record<string, string> {
  const all = { ...runtimeEnv(), ...NOWHERE, ...env };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]),
  );
}

/** Variables that the runtime, not the program, looks at. */
const RUNTIME_ENV = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "TMPDIR"];

/** Those of them that are set. */
export function runtimeEnv(): Record<string, string> {
  return Object.fromEntries(RUNTIME_ENV.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** Flags of the runtime in the task of that name, permissions above all. */
export async function taskFlags(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return tasks[task].command.match(/(-P|--(quiet|no-prompt|v8))[^ ]*/g) ?? [];
}

/** A program that was started. Killed when it is disposed. */
export class Program implements AsyncDisposable {
  /** Everything it has printed on standard error, and on standard output. */
  stderr = "";
  stdout = "";
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#ended = Promise.all([
      collect(child.stderr, (text) => this.stderr += text),
      collect(child.stdout, (text) => this.stdout += text),
    ]);
  }

  /** Starts `main.ts` with these arguments, the first of which is the command. */
  static async start(args: readonly string[], options: ProgramOptions = {}): Promise<Program> {
    const { env = {}, cwd = import.meta.dirname!, stdin = "null" } = options;
    const { flags = await taskFlags(args[0]!), openFiles } = options;
    const limited = openFiles === undefined
      ? []
      : ["sh", "-c", 'ulimit -n $0; exec "$@"', String(openFiles)];
    const [command, ...rest] = [...limited, Deno.execPath()];
    const child = new Deno.Command(command!, {
      args: [...rest, "run", ...flags, join(ROOT, "main.ts"), ...args],
      cwd,
      clearEnv: true,
      env: programEnv({ LOG_FORMAT: "json", ...env }),
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Program(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stdin(): WritableStream<Uint8Array> {
    return this.#child.stdin;
  }

  /** Exit code, once it has ended; 128 and more for signals. @throws if it does not end. */
  async exitCode(): Promise<number> {
    let code: number | undefined;
    this.#child.status.then((status) => code = status.code);
    await this.#eventually(() => code !== undefined);
    await this.#ended;
    return code!;
  }

  /** Resolves when it has printed a line that matches, on either stream. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    return await this.#eventually(() => {
      return `${this.stderr}${this.stdout}`.match(pattern) ?? false;
    }) as RegExpMatchArray;
  }

  async #eventually<T>(look: () => T): Promise<T> {
    try {
      return await eventually(look) as T;
    } catch (error) {
      throw new Error(`It printed:\n${this.stderr}${this.stdout}`, { cause: error });
    }
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.exitCode();
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  add: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) add(decoder.decode(bytes, { stream: true }));
}

/** Runs `main.ts` to its end. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  await using program = await Program.start(args, options);
  const code = await program.exitCode();
  return { code, stdout: program.stdout, stderr: program.stderr };
}
