/**
 * The commands with their arguments, help and examples. What a command does is
 * loaded when it is called: `start` does not wait for what only `demo` needs.
 * @module
 */

import { Command, Option } from "commander";
import { isPassing, OperatorError } from "../core/failure.ts";
import { redacted } from "../core/settings/database_url.ts";
import { topicPlace } from "../core/settings/place.ts";
import { printableLines } from "../core/text/printable.ts";
import { log } from "../io/logs.ts";
import { VERSION } from "../io/version.ts";
import { rate, share, speed, wholeNumber } from "./cli/arguments.ts";
import { example } from "./cli/help.ts";
import type { Host, StopWords } from "./cli/host.ts";
import { addDeadLetters } from "./dead_letters/program.ts";
import { addAudit, addReset, addStatus } from "./program_operators.ts";

const STOPPING_COUNT: StopWords = {
  first: "Stopping: committing what is counted and leaving the group",
  second: "Stopped at once. Nothing is lost: the next start goes on from the last commit.",
};

/** All commands. */
export function createProgram(host: Host): Command {
  const program = new Command("lottery-events-pipeline")
    .description("Counts lottery events from Kafka into PostgreSQL, per minute, exactly once.")
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        for (const line of printableLines(text.trimEnd())) host.terminal.writeLine(line);
      },
    })
    .showHelpAfterError("(add --help for what can be given)");
  const commands = [addStart, addDemo, addProduce, addMigrate, addDoctor, addAlert];
  const operators = [addStatus, addAudit, addDeadLetters, addReset];
  for (const add of [...commands, ...operators]) add(program, host);
  return program;
}

function addStart(program: Command, host: Host): void {
  const { configured, settingsOrigin, untilSignal, terminal } = host;
  program.command("start")
    .description("count the topic into the database until stopped")
    .option("--once", "stop at the ends that the topic has now; does not wait for what is away")
    .addHelpText("after", example("start", "start --once"))
    .action(async ({ once }: { once?: true }) => {
      const config = await configured();
      const signal = untilSignal(STOPPING_COUNT);
      log.info("Version {version}, counting {topic} into {database}. Settings: {settings}", {
        topic: topicPlace(config.kafka),
        database: redacted(config.databaseUrl),
        settings: settingsOrigin(),
        version: VERSION,
      });
      if (once) {
        const { startOnce } = await import("./start_once.ts");
        await startOnce(config, { signal, terminal });
      } else {
        const { start } = await import("./start.ts");
        await unlessStopped(start(config, { signal, terminal }), signal);
      }
    });
}

const DEMO_HELP = `
The generated events tell a story: popular and rare lotteries, quiet nights and busy evenings, a
crowd whenever a lottery announces a jackpot, late events and a few bad ones. A day of it takes 24
minutes, and the 24 minutes up to now are there at once. With --speed 60 an hour passes in a minute
and a day is a real one: event time begins 24 hours ago, and passes as usual once it is now.`;

interface DemoArguments {
  readonly dataDir?: string;
  readonly file?: string;
  readonly speed?: number;
}

function addDemo(program: Command, { configured, untilSignal, terminal }: Host): void {
  program.command("demo")
    .description("run the pipeline with nothing installed: generated events, embedded PostgreSQL")
    .option("--data-dir <directory>", "keep the counts there, and go on from them next time")
    .option("--file <path>", "count a file with one JSON event a line instead; - is standard input")
    .addOption(
      new Option("--speed <factor>", "how fast event time passes; see below").argParser(speed)
        .conflicts("file"),
    )
    .addHelpText("after", DEMO_HELP)
    .addHelpText(
      "after",
      example("demo", "demo --speed 60", "demo --data-dir ./data", "demo --file events.ndjson"),
    )
    .action(async ({ dataDir, file, speed }: DemoArguments) => {
      const config = await configured();
      const { demo } = await import("./demo/demo.ts");
      const words = { ...STOPPING_COUNT, first: "Stopping: committing what is counted" };
      const signal = untilSignal(words);
      await unlessStopped(demo(config, { dataDir, file, speed, signal, terminal }), signal);
    });
}

/** Their names and shares are kept in memory. */
const MAX_LOTTERIES = 1_000_000;
/** Of a greater one only the last 32 bits would count. */
const GREATEST_SEED = 2 ** 32 - 1;

function addProduce(program: Command, { configured, untilSignal, terminal }: Host): void {
  program.command("produce")
    .description("send a realistic stream of events to the topic")
    .option("--rate <events>", "events per second, or max", rate, 50)
    .option("--count <events>", "stop after so many", wholeNumber(0))
    .option(
      "--lotteries <number>",
      "how many lotteries, from popular to rare",
      wholeNumber(1, MAX_LOTTERIES),
      12,
    )
    .option("--bad <share>", "share of records that are no event", share, 0.01)
    .option("--late <share>", "share of events that come minutes late", share, 0.05)
    .option("--seed <number>", "another seed gives other events", wholeNumber(0, GREATEST_SEED), 1)
    .option("--yes", "do not ask before sending to a topic that is in use")
    .addHelpText("after", example("produce --rate 50", "produce --rate max --count 1000000"))
    .action(async ({ bad: badShare, late: lateShare, count = Infinity, yes, ...options }) => {
      const config = await configured();
      const { produce } = await import("./produce.ts");
      const signal = untilSignal({ first: "Stopping", second: "Stopped at once" });
      const confirm = (question: string) => yes ? true : terminal.confirm(question);
      await produce(config, { ...options, count, badShare, lateShare, confirm, signal, terminal });
    });
}

function addMigrate(program: Command, { configured, print }: Host): void {
  program.command("migrate")
    .description("create the tables, or bring them up to date; `start` does so too")
    .option("--create-database", "create the database first, if it does not exist")
    .addOption(
      new Option("--sql", "change nothing, and print the SQL for the owner of the tables to run")
        .conflicts("createDatabase"),
    )
    .addHelpText("after", example("migrate --create-database", "migrate --sql > migration.sql"))
    .action(async ({ createDatabase, sql }: { createDatabase?: true; sql?: true }) => {
      const config = await configured();
      const { migrate, migrationSql } = await import("./migrate.ts");
      if (!sql) return await migrate(config, { createsDatabase: createDatabase ?? false });
      for (const line of (await migrationSql(config)).split("\n")) print(line);
    });
}

function addDoctor(program: Command, { configured, settingsOrigin, print }: Host): void {
  program.command("doctor")
    .description("try the settings, Kafka, the topic, PostgreSQL and the mail server")
    .option("--mail", "send a test mail, too; nothing else is changed")
    .addHelpText("after", example("doctor", "doctor --mail"))
    .action(async ({ mail }: { mail?: true }) => {
      const config = await configured();
      const { doctor } = await import("./doctor/doctor.ts");
      print(`ok    Settings: ${settingsOrigin()}`);
      let problems = 0;
      for await (const { subject, isGood, text } of doctor(config, { sendsMail: mail ?? false })) {
        print(`${isGood ? "ok  " : "FAIL"}  ${subject}: ${text}`);
        if (!isGood) problems++;
      }
      if (problems > 0) throw new OperatorError(`${problems} of these need a person.`);
    });
}

function addAlert(program: Command, { configured }: Host): void {
  program.command("alert")
    .description("mail a text to the operators, for the hook of a supervisor")
    .argument("<text>", "what the mail says")
    .addHelpText("after", example('alert "the worker on host a has failed"'))
    .action(async (text: string) => {
      const config = await configured();
      const { alert } = await import("./alert.ts");
      const answer = await alert(config, text);
      log.info("Sent to {to} by {host}; the mail server answered: {answer}", {
        to: config.smtp?.to,
        host: config.smtp?.host,
        answer,
      });
    });
}

/** What is still away when the end was asked for is no failure. */
async function unlessStopped(running: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await running;
  } catch (error) {
    if (!signal.aborted || !isPassing(error)) throw error;
  }
}
