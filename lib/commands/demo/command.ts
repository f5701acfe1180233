/**
 * `demo` on the command line.
 * @module
 */

import { type Command, Option } from "commander";
import { numberBetween, seed, wholeNumber } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";
import { STOPPING_COUNT, unlessStopped } from "../cli/stopping.ts";
import type { DemoArguments } from "./demo.ts";

const HELP = `
The generated events tell a story: popular and rare lotteries, quiet nights and busy evenings, the
busiest before a draw, a rush whenever a lottery announces a jackpot, late events and a few bad ones.
The 8 days before are counted first, thinned, in about a quarter of a minute. With --speed 60 an hour
passes in a minute: event time starts 24 hours in the past, and passes at normal speed once it has
caught up.

With --chaos something is done to the pipeline every few seconds: workers are dropped with what they
had not committed, commits or their answers get lost, commits of dropped workers arrive late,
database sessions end, records come twice or from an older offset, and hundreds of late and bad ones
at once. Audits prove that no row has lost or doubled anything; if one has, the demo says so and ends
with exit code 1. With --count it ends after so many faults, which follow each other at once.`;

/** The generator cannot keep up with a faster one. */
const MAX_SPEED = 600;

interface Given extends Omit<DemoArguments, "chaos"> {
  readonly chaos?: true;
  readonly count?: number;
  readonly seed?: number;
}

export function addDemo(program: Command, { configured, untilSignal, terminal }: Host): void {
  program.command("demo")
    .description("run the pipeline with nothing installed: generated events, embedded PostgreSQL")
    .option("--data-dir <directory>", "keep the counts in it, and continue from them next time")
    .option("--file <path>", "count a file with one JSON event per line; - is standard input")
    .addOption(
      new Option("--speed <factor>", "how fast event time passes, see below")
        .argParser(numberBetween(1, MAX_SPEED)).conflicts("file"),
    )
    .addOption(
      new Option("--chaos", "harm the pipeline while it counts, and prove that every row is right")
        .conflicts(["file", "dataDir", "speed"]),
    )
    .option("--count <faults>", "with --chaos: end after this many faults", wholeNumber(1))
    .option("--seed <number>", "with --chaos: another order of faults", seed)
    .addHelpText("after", HELP)
    .addHelpText(
      "after",
      example(
        "demo",
        "demo --chaos",
        "demo --chaos --count 100",
        "demo --speed 60",
        "demo --data-dir ./data",
        "demo --file events.ndjson",
      ),
    )
    .action(async (given: Given, command: Command) => {
      const { chaos: isInChaos, count, seed, ...options } = given;
      for (const [name, value] of Object.entries({ count, seed })) {
        if (value !== undefined && !isInChaos) command.error(`error: --${name} requires --chaos`);
      }
      const chaos = isInChaos && { count: count ?? null, seed: seed ?? 1 };
      const config = await configured();
      const { demo } = await import("./demo.ts");
      const words = { ...STOPPING_COUNT, first: "Stopping: committing what is counted" };
      const signal = untilSignal(words);
      await unlessStopped(demo(config, { ...options, chaos, signal, terminal }), signal);
    });
}
