/**
 * Servers that end with the test run that started them, however that ends.
 * @module
 */

import { dirname } from "node:path";
import { SETTINGS } from "../../lib/core/settings/config.ts";

export interface GuardOptions {
  /** Gets what the process prints. */
  readonly logFile: string;
  /** Removed when the process has ended with its run. */
  readonly directory?: string;
  readonly env?: Record<string, string>;
}

/**
 * What other programs get of our environment: not the settings of production, with which
 * PostgreSQL's and Kafka's own clients would go there, too.
 */
export function foreignEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) =>
      !SETTINGS.includes(name) && !/^(PG|KCAT_|KAFKACAT_)/.test(name)
    ),
  );
}

/** Ends the child when the parent is gone; what `deno test` leaves behind would run for ever. */
const GUARD = `
parent=$1; log=$2; directory=$3; shift 3
"$@" >"$log" 2>&1 </dev/null &
child=$!
echo $child
exec >/dev/null
while kill -0 "$parent" 2>/dev/null && kill -0 "$child" 2>/dev/null; do sleep 0.3; done
kill -9 "$child" 2>/dev/null
kill -0 "$parent" 2>/dev/null && exit
[ -n "$directory" ] || exit
sleep 0.5
rm -rf "$directory"
rmdir "$(dirname "$directory")" 2>/dev/null
`;

/** Starts a process that outlives its test, but not the test run. @returns its id. */
export async function spawnGuarded(
  command: readonly string[],
  { logFile, directory = "", env = {} }: GuardOptions,
): Promise<number> {
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", GUARD, "guard", String(Deno.pid), logFile, directory, ...command],
    cwd: dirname(logFile),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    clearEnv: true,
    env: { ...foreignEnv(), ...env },
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  child.unref();
  return Number(new TextDecoder().decode(value));
}

/** Sends a signal to a process that may have ended. */
export function signalProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether a process has not ended yet. */
export function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT"); // which does nothing to one that runs
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

/** Runs a command to its end. @throws with what it printed, if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  { stdin, env = {} }: {
    readonly stdin?: string | Uint8Array;
    readonly env?: Record<string, string>;
  } = {},
): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    env: { ...foreignEnv(), ...env },
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
    await writer.close();
  }
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `${command} ${args.join(" ")} failed:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`,
  );
}

/** Where a command is, or null. */
export async function which(command: string): Promise<string | null> {
  try {
    return (await run("sh", ["-c", `command -v ${command}`])).trim();
  } catch {
    return null;
  }
}
