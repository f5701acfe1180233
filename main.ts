/**
 * Gives arguments and environment to a command, and turns its outcome into an exit code:
 * 0 done, 1 an operator has to act, 2 wrong settings or arguments; `audit` and `status` have more.
 * @module
 */

import { ExitCodeError } from "./lib/commands/cli/exit_code.ts";
import type { StopWords } from "./lib/commands/cli/host.ts";
import { createProgram } from "./lib/commands/program.ts";
import { describe } from "./lib/core/failure.ts";
import { type Config, parseConfig } from "./lib/core/settings/config.ts";
import { type EnvFile, parseEnvFile } from "./lib/core/settings/env_file.ts";
import { gatherSettings, originOf } from "./lib/core/settings/settings.ts";
import { printable, printableLines } from "./lib/core/text/printable.ts";
import { configureLogs, log } from "./lib/io/logs.ts";
import { Terminal } from "./lib/io/terminal.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Signals within this time are one: Ctrl-C reaches a task's program twice, directly and through the runner. */
const SAME_SIGNAL_MS = 1_000;
/** Then the program exits even if something hangs: the documented limit is 10 s, and the machine may be busy. */
const STOP_DEADLINE_MS = 8_000;

const terminal = new Terminal({ isDumb: Deno.env.get("TERM") === "dumb" });
/** Exit code of a failure that does not specify one. */
let failureCode = EXIT_FAILURE;
let settingsOrigin = "";
let areLogsConfigured = false;
let showsStacks = false;

async function main(args: readonly string[]): Promise<number> {
  try {
    const program = createProgram({
      terminal,
      configured,
      settingsOrigin: () => settingsOrigin,
      untilSignal,
      print: (line) => console.log(printable(line)),
      failsWith: (exitCode) => void (failureCode = exitCode),
    });
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    terminal.endStatus();
    if (error instanceof WrongSettingsError) return EXIT_USAGE;
    const usage = usageExitCode(error);
    if (usage !== null) return usage;
    if (error instanceof ExitCodeError) {
      if (error.cause !== undefined) report(error.cause);
      return error.exitCode;
    }
    report(error);
    return failureCode;
  }
}

/** An error that nothing catches ends the program as any other failure does. */
function crash(event: ErrorEvent | PromiseRejectionEvent): void {
  event.preventDefault();
  terminal.endStatus();
  report("reason" in event ? event.reason : event.error, { withStack: true });
  Deno.exit(failureCode);
}

/** Thrown after every problem was reported. */
class WrongSettingsError extends Error {}

async function configured(): Promise<Config> {
  const file = readEnvFile();
  const settings = gatherSettings(Deno.env.toObject(), file);
  const result = parseConfig(settings.values);
  const problems = [
    ...settings.problems,
    ..."problems" in result ? result.problems.map((each) => `${each.setting} ${each.message}`) : [],
  ];
  if ("problems" in result || problems.length > 0) {
    for (const problem of problems) writeLines(problem);
    throw new WrongSettingsError();
  }
  // Drivers read some themselves, such as PGPASSWORD.
  for (const [name, value] of Object.entries(settings.values)) {
    if (!Deno.env.has(name)) Deno.env.set(name, value);
  }
  settingsOrigin = originOf(settings, file, Deno.cwd());
  const { config } = result;
  showsStacks = config.logLevel === "debug";
  await configureLogs({ level: config.logLevel, format: config.logFormat, terminal });
  areLogsConfigured = true;
  return config;
}

/** Aborts at the first SIGINT or SIGTERM; a later one ends the program at once. */
function untilSignal({ first, second }: StopWords): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      log.info(first);
      stop.abort();
      setTimeout(() => {
        log.warn("Stopped before everything was closed. Nothing is lost.");
        terminal.endStatus();
        Deno.exit(0);
      }, STOP_DEADLINE_MS);
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      terminal.endStatus(second);
      Deno.exit(EXIT_FAILURE);
    }
  };
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  return stop.signal;
}

/** Exit code if the parser of arguments has ended the program, and reported why; else null. */
function usageExitCode(error: unknown): number | null {
  const isOfParser = error instanceof Error && "code" in error && "exitCode" in error &&
    String(error.code).startsWith("commander.");
  if (!isOfParser) return null;
  return error.exitCode === 0 ? 0 : EXIT_USAGE;
}

function report(error: unknown, { withStack = showsStacks } = {}): void {
  const message = describe(error);
  const stack = withStack && Deno.inspect(error);
  if (terminal.isForPrograms) return log.error("{message}", { message, ...stack && { stack } });
  if (areLogsConfigured) log.error("{message}", { message });
  else writeLines(message);
  if (stack) writeLines(stack);
}

/** The text may quote what a database, broker or mail server sent. */
function writeLines(text: string): void {
  for (const line of printableLines(text)) terminal.writeLine(line);
}

/** The file `.env` in the current directory; null if it does not exist. */
function readEnvFile(): EnvFile | null {
  try {
    return parseEnvFile(Deno.readFileSync(".env"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    writeLines(`Cannot read .env in the current directory (${describe(error)})`);
    throw new WrongSettingsError();
  }
}

if (import.meta.main) {
  addEventListener("error", crash);
  addEventListener("unhandledrejection", crash);
  Deno.exit(await main(Deno.args));
}
