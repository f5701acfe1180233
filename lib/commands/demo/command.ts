/**
 * `demo` on the command line.
 * @module
 */

import { type Command, Option } from "commander";
import { numberBetween } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";
import { STOPPING_COUNT, unlessStopped } from "../cli/stopping.ts";
import type { DemoArguments } from "./demo.ts";

const HELP = `
The generated events tell a story: popular and rare lotteries, quiet nights and busy evenings, the
busiest before a draw, a rush whenever a lottery announces a jackpot, late events and a few bad ones.
The 8 days before are counted first, thinned, in about a quarter of a minute. With --speed 60 an hour
passes in a minute: event time starts 24 hours in the past, and passes at normal speed once it has
caught up.`;

/** The generator cannot keep up with a faster one. */
const MAX_SPEED = 600;

export function addDemo(program: Command, { configured, untilSignal, terminal }: Host): void {
  program.command("demo")
    .description("run the pipeline with nothing installed: generated events, embedded PostgreSQL")
    .option("--data-dir <directory>", "keep the counts in it, and continue from them next time")
    .option("--file <path>", "count a file with one JSON event per line; - is standard input")
    .addOption(
      new Option("--speed <factor>", "how fast event time passes, see below")
        .argParser(numberBetween(1, MAX_SPEED)).conflicts("file"),
    )
    .addHelpText("after", HELP)
    .addHelpText(
      "after",
      example("demo", "demo --speed 60", "demo --data-dir ./data", "demo --file events.ndjson"),
    )
    .action(async (options: DemoArguments) => {
      const config = await configured();
      const { demo } = await import("./demo.ts");
      const words = { ...STOPPING_COUNT, first: "Stopping: committing what is counted" };
      const signal = untilSignal(words);
      await unlessStopped(demo(config, { ...options, signal, terminal }), signal);
    });
}
