/**
 * `produce` on the command line.
 * @module
 */

import type { Command } from "commander";
import { days, numberBetween, rate, seed, wholeNumber } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

/** Their names and shares are kept in memory. */
const MAX_LOTTERIES = 1_000_000;
const MAX_HISTORY_DAYS = 365;

const HELP = `
With --history the events tell a story, and have it behind them: nights are quiet and evenings busy,
those of draws the busiest, and lotteries announce jackpots. The days before now are sent first, as
fast as the topic accepts them, if the topic is empty; then the story continues. The rate is that of
an average hour.`;

export function addProduce(program: Command, { configured, untilSignal, terminal }: Host): void {
  const share = numberBetween(0, 1);
  program.command("produce")
    .description("send a realistic stream of events to the topic")
    .option("--rate <events>", "events per second, or max", rate, 50)
    .option("--count <events>", "stop after this many events", wholeNumber(0))
    .option(
      "--history <days>",
      "send the days before now first, as 15d; see below",
      days(MAX_HISTORY_DAYS),
    )
    .option(
      "--lotteries <number>",
      "number of lotteries, from popular to rare",
      wholeNumber(1, MAX_LOTTERIES),
      12,
    )
    .option("--bad <share>", "share of records that are not valid events", share, 0.01)
    .option("--late <share>", "share of events that arrive minutes late", share, 0.05)
    .option("--seed <number>", "another seed gives other events", seed, 1)
    .option("--stop <lottery>", "send no payments for this lottery, from now on")
    .option("--yes", "do not ask before sending to a topic that is in use")
    .addHelpText("after", HELP)
    .addHelpText(
      "after",
      example(
        "produce --rate 50",
        "produce --rate 10 --history 15d",
        "produce --rate max --count 1000000",
      ),
    )
    .action(async (
      {
        bad: badShare,
        late: lateShare,
        count = Infinity,
        history = null,
        stop = null,
        yes,
        ...rest
      },
      command: Command,
    ) => {
      if (history !== null && rest.rate === Infinity) {
        command.error("error: --history needs a --rate other than max: that of its days.");
      }
      const config = await configured();
      const { produce } = await import("./produce.ts");
      const signal = untilSignal({ first: "Stopping", second: "Stopped at once" });
      const confirm = (question: string) => yes ? true : terminal.confirm(question);
      await produce(config, {
        ...rest,
        count,
        historyDays: history,
        stoppedLottery: stop,
        badShare,
        lateShare,
        confirm,
        signal,
        terminal,
      });
    });
}
