/**
 * `produce` on the command line.
 * @module
 */

import type { Command } from "commander";
import { numberBetween, rate, wholeNumber } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

/** Their names and shares are kept in memory. */
const MAX_LOTTERIES = 1_000_000;
/** Of a greater one only the last 32 bits would count. */
const MAX_SEED = 2 ** 32 - 1;

export function addProduce(program: Command, { configured, untilSignal, terminal }: Host): void {
  const share = numberBetween(0, 1);
  program.command("produce")
    .description("send a realistic stream of events to the topic")
    .option("--rate <events>", "events per second, or max", rate, 50)
    .option("--count <events>", "stop after this many events", wholeNumber(0))
    .option(
      "--lotteries <number>",
      "number of lotteries, from popular to rare",
      wholeNumber(1, MAX_LOTTERIES),
      12,
    )
    .option("--bad <share>", "share of records that are not valid events", share, 0.01)
    .option("--late <share>", "share of events that arrive minutes late", share, 0.05)
    .option("--seed <number>", "another seed gives other events", wholeNumber(0, MAX_SEED), 1)
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
