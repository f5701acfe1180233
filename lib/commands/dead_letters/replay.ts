/**
 * `dead-letters replay`: counts dead letters that are valid events now, or that a repair makes valid.
 * @module
 */

import { type Repair, repaired } from "../../core/dead_letters/repair.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Config } from "../../core/settings/config.ts";
import { redacted } from "../../core/settings/database_url.ts";
import { plural } from "../../core/text/numbers.ts";
import { printable } from "../../core/text/printable.ts";
import { isoTime } from "../../core/text/time.ts";
import { EVENT_RULES_VERSION, EventParser, type LotteryEvent } from "../../core/windowing/event.ts";
import { windowStart } from "../../core/windowing/window.ts";
import { log } from "../../io/logs.ts";
import {
  type DeadLetterFilter,
  DeadLetterStore,
  type RecordPosition,
  type Replay,
  type ReplayRules,
  type StoredDeadLetter,
} from "../../io/postgres/dead_letters.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { letterTime, positionText } from "./list.ts";

export interface ReplayOptions {
  /** Whose letters: the topic of the settings, or the name of an abandoned log. */
  readonly topic: string;
  /** The letters at these positions; or as many of those that a filter lets through. */
  readonly selection:
    | { readonly positions: readonly RecordPosition[] }
    | { readonly filter: DeadLetterFilter; readonly limit: number };
  readonly repair: Repair;
  readonly isDryRun: boolean;
  readonly print: (line: string) => void;
}

/** Letters that are judged, and counted, together. */
const PAGE = 50;

/**
 * Prints the outcome of each letter, and the sums.
 * @throws {OperatorError} if one of them could not be counted.
 */
export async function replayDeadLetters(
  { databaseUrl }: Config,
  { topic, selection, repair, isDryRun, print }: ReplayOptions,
): Promise<void> {
  await using connection = new Connection(databaseUrl);
  await assertUpToDate(connection);
  const store = new DeadLetterStore(connection, topic);
  const rules = await store.rules();
  assertSameRules(rules);
  const limit = "limit" in selection ? selection.limit : Infinity;
  const found = "positions" in selection
    ? selection.positions
    : await store.find(selection.filter, limit + 1);
  const positions = found.slice(0, limit);
  if (!isDryRun) {
    log.info("Replaying dead letters of {topic} into {database}: {count}", {
      count: positions.length,
      topic,
      database: redacted(databaseUrl),
    });
  }

  const sums = { counted: 0, refused: 0 };
  for (let start = 0; start < positions.length; start += PAGE) {
    const page = positions.slice(start, start + PAGE);
    const verdicts = judgeAll(page, await store.read(page), { rules, repair });
    const outcomes = isDryRun ? verdicts : await replayAll(verdicts, { store, rules });
    for (const { position, outcome } of outcomes) {
      const isCounted = typeof outcome !== "string";
      sums[isCounted ? "counted" : "refused"]++;
      print(`${positionText(position).padEnd(14)}  ${outcomeText(outcome, rules, isDryRun)}`);
    }
  }
  print(
    isDryRun
      ? `${sums.counted} would be counted, ${sums.refused} refused. Nothing was changed.`
      : `${sums.counted} counted, ${sums.refused} refused.`,
  );
  if (found.length > limit) {
    print(`Only the newest ${limit} were replayed: use a higher --limit for more.`);
  }
  if (sums.refused > 0) {
    throw new OperatorError(
      `${sums.refused} of ${plural(positions.length, "dead letter")} cannot be counted. ` +
        "`dead-letters show` shows why; --set repairs a field",
    );
  }
}

interface Verdict {
  readonly position: RecordPosition;
  readonly outcome: Replay | string;
}

interface JudgeOptions {
  readonly rules: ReplayRules;
  readonly repair: Repair;
}

/** Judges each letter by the rules that its record was judged by, against the record's own timestamp. */
function judgeAll(
  positions: readonly RecordPosition[],
  letters: readonly StoredDeadLetter[],
  options: JudgeOptions,
): Verdict[] {
  const parser = new EventParser({ maxFutureMs: options.rules.maxFutureMs });
  return positions.map((position) => {
    const letter = letters.find(({ partition, offset }) =>
      partition === position.partition && offset === position.offset
    );
    return { position, outcome: letter ? judge(letter, parser, options) : "no such dead letter" };
  });
}

function judge(
  letter: StoredDeadLetter,
  parser: EventParser,
  { rules, repair }: JudgeOptions,
): Replay | string {
  const { partition, offset, recordTimestampMs, replay } = letter;
  if (replay) return `already replayed at ${letterTime(replay.replayedMs)}`;
  if (!letter.isIntact) return "its content was changed after it was received";
  const value = repaired(letter.value, repair, recordTimestampMs);
  if (value === null) return "tombstone";
  const size = value === letter.value ? letter.cut?.valueSize ?? value.length : value.length;
  const event = parser.parse(value, { start: 0, end: value.length, size, recordTimestampMs });
  if (typeof event === "string") return event;
  if (event.timestampMs < rules.horizonMs) return expired(event, rules);
  return { position: { partition, offset }, value, event };
}

/** Counts what was judged an event, unless another replay or the retention was faster. */
async function replayAll(
  verdicts: readonly Verdict[],
  { store, rules }: { readonly store: DeadLetterStore; readonly rules: ReplayRules },
): Promise<Verdict[]> {
  const replays = verdicts.flatMap(({ outcome }) => typeof outcome === "string" ? [] : [outcome]);
  const counted = new Set((await store.replay(replays, rules)).map(positionText));
  return verdicts.map(({ position, outcome }) =>
    typeof outcome === "string" || counted.has(positionText(position))
      ? { position, outcome }
      : { position, outcome: "deleted, replayed or expired in the meantime" }
  );
}

function outcomeText(
  outcome: Replay | string,
  { windowMs }: ReplayRules,
  isDryRun: boolean,
): string {
  if (typeof outcome === "string") return `refused: ${outcome}`;
  const { lotteryName, eventType, timestampMs } = outcome.event;
  const window = isoTime(windowStart(timestampMs, windowMs));
  const verb = isDryRun ? "would be counted" : "counted";
  return `${verb} into ${window}  ${printable(lotteryName)}  ${printable(eventType)}`;
}

function expired({ timestampMs }: LotteryEvent, { windowMs, horizonMs }: ReplayRules): string {
  return `expired_window (${isoTime(windowStart(timestampMs, windowMs))}; ` +
    `windows before ${isoTime(horizonMs)} are deleted)`;
}

/** With two versions of the rules in one table its numbers would have two meanings. */
function assertSameRules({ eventRules }: ReplayRules): void {
  if (eventRules === EVENT_RULES_VERSION) return;
  throw new OperatorError(
    `Cannot replay with version ${EVENT_RULES_VERSION} of the rules for events: ` +
      `the counts in this database were made with version ${eventRules}. Use the version of the program that made them.`,
  );
}
