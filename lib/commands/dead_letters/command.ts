/**
 * `dead-letters` and its three commands on the command line.
 * @module
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { DEAD_LETTER_REASONS } from "../../core/dead_letters/dead_letter.ts";
import { addRepair, type Repair } from "../../core/dead_letters/repair.ts";
import type { DeadLetterFilter, RecordPosition } from "../../io/postgres/dead_letters.ts";
import { parsedBy, time, wholeNumber } from "../cli/arguments.ts";
import { example } from "../cli/help.ts";
import type { Host } from "../cli/host.ts";

interface FilterOptions {
  readonly reason?: string;
  readonly partition?: number;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
}

export function addDeadLetters(program: Command, host: Host): void {
  const group = program.command("dead-letters")
    .description("list and show the records that could not be counted, or replay them");
  addList(group, host);
  addShow(group, host);
  addReplay(group, host);
}

function addList(group: Command, { configured, print }: Host): void {
  withLog(withFilter(group.command("list")))
    .description("list the newest dead letters that have not been replayed")
    .option("--replayed", "list the replayed ones instead")
    .option("--json", "print one JSON object per line, with all bytes")
    .addHelpText(
      "after",
      example(
        "dead-letters list",
        "dead-letters list --reason timestamp_in_seconds --since 2026-01-31T00:00:00Z",
      ),
    )
    .action(async ({ replayed, json, log, ...options }) => {
      const config = await configured();
      const { listDeadLetters } = await import("./list.ts");
      await listDeadLetters(config, {
        topic: log ?? config.kafka.topic,
        filter: toFilter(options, replayed ?? false),
        limit: options.limit,
        asJson: json ?? false,
        print,
      });
    });
}

function addShow(group: Command, { configured, print }: Host): void {
  withLog(group.command("show"))
    .description("show one dead letter: position, reason, headers and bytes")
    .argument("<position>", "partition and offset, such as 3/1042", position)
    .option("--whole", "show all bytes, not only the first 2,048")
    .addHelpText("after", example("dead-letters show 3/1042"))
    .action(async (position: RecordPosition, { whole, log }: { whole?: true; log?: string }) => {
      const config = await configured();
      const { showDeadLetter } = await import("./show.ts");
      await showDeadLetter(config, {
        topic: log ?? config.kafka.topic,
        position,
        isWhole: whole ?? false,
        print,
      });
    });
}

function addReplay(group: Command, { configured, print }: Host): void {
  withLog(withFilter(group.command("replay")))
    .description(
      "count dead letters that are now valid, or that --set repairs, each exactly once",
    )
    .argument(
      "[positions...]",
      "partitions and offsets, such as 3/1042; none with a filter",
      append,
    )
    .option("--set <field=value>", "repair a field first; may be given once per field", repaired)
    .option("--dry-run", "show what would happen, and change nothing")
    .addHelpText("after", REPAIR_HELP)
    .addHelpText(
      "after",
      example(
        "dead-letters replay 3/1042 --set timestamp=2026-01-31T12:00:00Z",
        "dead-letters replay --reason timestamp_in_seconds --set timestamp=seconds --dry-run",
      ),
    )
    .action(async (positions: RecordPosition[], options, command: Command) => {
      const { set: repair = {}, dryRun, log, ...filter } = options;
      if (positions.length === 0 && !hasFilter(filter)) {
        command.error(
          "error: select dead letters by position, --reason, --partition or a range",
        );
      }
      const config = await configured();
      const { replayDeadLetters } = await import("./replay.ts");
      await replayDeadLetters(config, {
        topic: log ?? config.kafka.topic,
        selection: positions.length > 0
          ? { positions }
          : { filter: toFilter(filter, false), limit: filter.limit },
        repair,
        isDryRun: dryRun ?? false,
        print,
      });
    });
}

function withLog(command: Command): Command {
  return command.option(
    "--log <name>",
    'a log abandoned by a reset, such as "user-events (epoch 1)" (default: KAFKA_TOPIC)',
  );
}

const REPAIR_HELP = `
Fields: lottery_name, event_type and timestamp. A timestamp is set to milliseconds since 1970, to a
time such as 2026-01-31T12:00:00Z, to "record" (the record's own timestamp) or to "seconds" (its number
is in seconds). A value that is not a JSON object is replaced by the fields that are set. The result is
judged by the same rules as every record. Exits with 1 if a dead letter cannot be counted.`;

const repaired = parsedBy((assignment, before: Repair = {}) => addRepair(before, assignment));

/** Kafka numbers them in 32 bits, with a sign. */
const MAX_PARTITION = 2 ** 31 - 1;

function withFilter(command: Command): Command {
  return command
    .addOption(new Option("--reason <reason>", "only this reason").choices(DEAD_LETTER_REASONS))
    .option("--partition <number>", "only this partition", wholeNumber(0, MAX_PARTITION))
    .option("--from-offset <offset>", "from this offset", wholeNumber(0))
    .option("--to-offset <offset>", "up to and including this offset", wholeNumber(0))
    .option("--since <time>", "received at or after this time, such as 2026-01-31T12:00:00Z", time)
    .option("--until <time>", "received before this time", time)
    .option("--limit <number>", "at most this many, the newest first", wholeNumber(1), 100);
}

function toFilter(
  { reason, partition, fromOffset, toOffset, since, until }: FilterOptions,
  isReplayed: boolean,
): DeadLetterFilter {
  return {
    isReplayed,
    ...(reason !== undefined && { reason }),
    ...(partition !== undefined && { partition }),
    ...(fromOffset !== undefined && { fromOffset }),
    ...(toOffset !== undefined && { toOffset }),
    ...(since !== undefined && { sinceMs: since }),
    ...(until !== undefined && { untilMs: until }),
  };
}

function hasFilter({ limit: _, ...filter }: FilterOptions): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

function position(text: string): RecordPosition {
  const [, partition, offset] = text.match(/^(\d{1,9})\/(\d{1,15})$/) ?? [];
  if (offset === undefined) {
    throw new InvalidArgumentError("It must be a partition and an offset, such as 3/1042.");
  }
  return { partition: Number(partition), offset: Number(offset) };
}

function append(text: string, before: RecordPosition[] = []): RecordPosition[] {
  const { partition, offset } = position(text);
  const others = before.filter((each) => each.partition !== partition || each.offset !== offset);
  return [...others, { partition, offset }];
}
