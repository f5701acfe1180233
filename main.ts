/**
 * Arguments and environment to a command, and its outcome to an exit code:
 * 0 done, 1 a person has to act, 2 wrong settings or arguments.
 * @module
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { type Config, parseConfig } from "./lib/core/config.ts";
import { describe, isPassing, OperatorError } from "./lib/core/failure.ts";
import { configureLogs, log } from "./lib/io/logs.ts";
import { Terminal } from "./lib/io/terminal.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Signals within this time are one: Ctrl-C reaches a task's program twice, directly and through the runner. */
const SAME_SIGNAL_MS = 1_000;

/** By then whoever asked for the end gets it, whatever hangs. */
const STOP_DEADLINE_MS = 9_000;

/** What counting says when it is told to stop. */
const STOPPING_COUNT = {
  first: "Stopping: committing what is counted and leaving the group",
  second: "Stopped at once. Nothing is lost: the next start goes on from the last commit.",
};

const terminal = new Terminal();
let areLogsConfigured = false;
let showsStacks = false;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  try {
    loadEnvFile();
    await program().parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    terminal.endStatus();
    report(error);
    return EXIT_FAILURE;
  }
}

function program(): Command {
  const program = new Command("lottery-events-pipeline")
    .description("Counts lottery events from Kafka into PostgreSQL, per minute, exactly once.")
    .exitOverride()
    .configureOutput({ writeErr: (text) => terminal.writeLine(text.trimEnd()) })
    .showHelpAfterError("(add --help for what can be given)");

  program.command("start")
    .description("count the topic into the database until stopped")
    .option("--once", "stop at the ends that the topic has now; does not wait for what is away")
    .addHelpText("after", example("start", "start --once"))
    .action(async ({ once }: { once?: true }) => {
      const config = await configured();
      const signal = untilSignal(STOPPING_COUNT);
      if (once) {
        const { startOnce } = await import("./lib/commands/start_once.ts");
        await startOnce(config, { signal, terminal });
      } else {
        const { start } = await import("./lib/commands/start.ts");
        await unlessStopped(start(config, { signal }), signal);
      }
    });

  program.command("demo")
    .description(
      "run the whole pipeline with nothing installed: generated events, embedded PostgreSQL",
    )
    .option("--data-dir <directory>", "keep the counts there, and go on from them next time")
    .option("--file <path>", "count a file with one JSON event a line instead; - is standard input")
    .addHelpText(
      "after",
      example("demo", "demo --data-dir ./demo-data", "demo --file events.ndjson"),
    )
    .action(async ({ dataDir, file }: { dataDir?: string; file?: string }) => {
      const config = await configured();
      const { demo } = await import("./lib/commands/demo.ts");
      const signal = untilSignal({
        ...STOPPING_COUNT,
        first: "Stopping: committing what is counted",
      });
      await unlessStopped(demo(config, { dataDir, file, signal }), signal);
    });

  program.command("produce")
    .description("send a realistic stream of events to the topic")
    .option("--rate <events>", "events per second, or max", rate, 50)
    .option("--count <events>", "stop after so many", wholeNumber)
    .option("--lotteries <number>", "how many lotteries, from popular to rare", atLeastOne, 12)
    .option("--bad <share>", "share of records that are no event", share, 0.01)
    .option("--late <share>", "share of events that come minutes late", share, 0.05)
    .option("--seed <number>", "another seed gives other events", wholeNumber, 1)
    .addHelpText("after", example("produce --rate 50", "produce --rate max --count 1000000"))
    .action(async ({ bad: badShare, late: lateShare, count = Infinity, ...options }) => {
      const config = await configured();
      const { produce } = await import("./lib/commands/produce.ts");
      const signal = untilSignal({ first: "Stopping", second: "Stopped at once" });
      await produce(config, { ...options, count, badShare, lateShare, signal, terminal });
    });

  program.command("migrate")
    .description("create the tables, or bring them up to date; `start` does so too")
    .option("--create-database", "create the database first, if it does not exist")
    .addHelpText("after", example("migrate --create-database"))
    .action(async ({ createDatabase }: { createDatabase?: true }) => {
      const config = await configured();
      const { migrate } = await import("./lib/commands/migrate.ts");
      await migrate(config, { createsDatabase: createDatabase ?? false });
    });

  program.command("doctor")
    .description(
      "try the settings, Kafka, the topic, PostgreSQL and the mail server; changes nothing",
    )
    .addHelpText("after", example("doctor"))
    .action(async () => {
      const config = await configured();
      const { doctor } = await import("./lib/commands/doctor.ts");
      let problems = 0;
      for await (const { subject, isGood, text } of doctor(config)) {
        console.log(`${isGood ? "ok  " : "FAIL"}  ${subject}: ${text}`);
        if (!isGood) problems++;
      }
      if (problems > 0) throw new OperatorError(`${problems} of these need a person.`);
    });

  return program;
}

/** The settings, with logs set up as they say. */
async function configured(): Promise<Config> {
  const result = parseConfig(Deno.env.toObject());
  if ("problems" in result) {
    for (const { setting, message } of result.problems) terminal.writeLine(`${setting} ${message}`);
    throw new CommanderError(EXIT_USAGE, "settings", "wrong settings");
  }
  const { config } = result;
  showsStacks = config.logLevel === "debug";
  await configureLogs({ level: config.logLevel, format: config.logFormat, terminal });
  areLogsConfigured = true;
  return config;
}

/** Aborts at the first SIGINT or SIGTERM; a later one ends the program at once. */
function untilSignal({ first, second }: Readonly<Record<"first" | "second", string>>): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      log.info(first);
      stop.abort();
      setTimeout(() => {
        log.warn("Stopped although not everything is closed. Nothing is lost.");
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

/** What is still away when the end was asked for is no failure. */
async function unlessStopped(running: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await running;
  } catch (error) {
    if (!signal.aborted || !isPassing(error)) throw error;
  }
}

function report(error: unknown): void {
  if (areLogsConfigured) log.error("{message}", { message: describe(error) });
  else terminal.writeLine(describe(error));
  if (showsStacks && error instanceof Error) terminal.writeLine(Deno.inspect(error));
}

/** Settings in a file `.env` of the current directory; those of the environment win. */
function loadEnvFile(): void {
  try {
    process.loadEnvFile();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw new OperatorError("Cannot read the file .env of this directory", { cause: error });
  }
}

function example(...lines: readonly string[]): string {
  return `\nFor example:\n${lines.map((line) => `  deno task ${line}\n`).join("")}`;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function atLeastOne(text: string): number {
  if (wholeNumber(text) < 1) throw new InvalidArgumentError("It must be at least 1.");
  return Number(text);
}

function rate(text: string): number {
  if (text === "max") return Infinity;
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0, or max.");
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("It must be a number from 0 to 1.");
  }
  return value;
}
