/**
 * What `reset` will do: the lines that say it, and the change as data. Reads and changes nothing.
 * @module
 */

import { firstProvable, type PartitionHistory } from "../../core/audit/history.ts";
import { OperatorError } from "../../core/failure.ts";
import type { LogRange } from "../../core/offsets/log_range.ts";
import { type OffsetSpec, offsetsProblem } from "../../core/offsets/offset_spec.ts";
import { plural } from "../../core/text/numbers.ts";
import { textTable } from "../../core/text/table.ts";
import { utcTime } from "../../core/text/time.ts";
import {
  type Claim,
  type Difference,
  differencesOf,
  type Identity,
} from "../../io/postgres/identity.ts";
import type { Holdings } from "../../io/postgres/reset.ts";

export type ResetRequest =
  | { readonly kind: "recount"; readonly force: number | undefined }
  | { readonly kind: "log"; readonly target: OffsetSpec }
  | { readonly kind: "settings" };

export interface ResetFacts {
  readonly claim: Claim;
  /** Null if nothing was counted yet. */
  readonly stored: { readonly identity: Identity; readonly epoch: number } | null;
  readonly ranges: ReadonlyMap<number, LogRange>;
}

export interface CountedFacts extends ResetFacts {
  readonly stored: NonNullable<ResetFacts["stored"]>;
}

export type ResetChange =
  & {
    readonly identity: Identity;
    /** That the plan was made in; null if nothing was counted yet. */
    readonly epoch: number | null;
  }
  & (
    | { readonly kind: "recount" }
    | { readonly kind: "log"; readonly offsets: ReadonlyMap<number, number> }
    | { readonly kind: "settings"; readonly changesRules: boolean }
  );

export interface ResetPlan {
  readonly lines: readonly string[];
  readonly change: ResetChange;
}

/** @throws {OperatorError} if nothing was counted yet. */
export function assertCounted({ stored, ...facts }: ResetFacts): CountedFacts {
  if (stored) return { ...facts, stored };
  throw new OperatorError("Nothing to reset: nothing has been counted into this database yet.");
}

export interface RecountOptions {
  readonly force: number | undefined;
  readonly holdings: Holdings;
  readonly histories: readonly PartitionHistory[];
  readonly isCompacted: boolean;
}

/** @throws {OperatorError} if counted records are gone, unless `force` is the number of events. */
export function planRecount(facts: CountedFacts, options: RecountOptions): ResetPlan {
  const { claim, stored, ranges } = facts;
  const { force, holdings: { events, deadLetters, replayedLetters, recordsLeft } } = options;
  const gone = recordsLeft + recordsGone(facts, options);
  if (gone > 0 && force !== events) {
    throw new OperatorError(
      `Cannot recount without loss: up to ${
        plural(gone, "record")
      } that were counted are no longer ` +
        `in the log of ${claim.identity.topic}. To delete their counts anyway, confirm the ` +
        `number of events that will be deleted with --force ${events}.`,
    );
  }
  return {
    lines: [
      `Deletes all counts (${plural(events, "event")}), ${
        plural(deadLetters, "dead letter")
      } and ` +
      "all offsets.",
      ...replayedLetters > 0
        ? [`Of these, ${plural(replayedLetters, "replayed letter")} must be replayed again.`]
        : [],
      `The next worker counts ${claim.identity.topic} again, from its start:`,
      ...numberTable(
        ["partition", "log start", "log end"],
        Array.from(ranges, ([id, { startOffset, endOffset }]) => [id, startOffset, endOffset]),
      ),
      ...gone > 0 ? [`Up to ${plural(gone, "record")} will be lost for good.`] : [],
      ...differencesOf(stored.identity, claim).map(changeOf),
    ],
    change: { kind: "recount", epoch: stored.epoch, identity: claim.identity },
  };
}

/** At most how many of the counted records are no longer in the log. */
function recordsGone(
  { claim: { identity }, stored, ranges }: CountedFacts,
  { histories, isCompacted }: RecountOptions,
): number {
  const isSameLog = stored.identity.topic === identity.topic &&
    stored.identity.clusterId === identity.clusterId && !isCompacted;
  return histories.reduce((sum, history) => {
    const range = ranges.get(history.partition);
    const holds = isSameLog && range !== undefined && history.now.nextOffset <= range.endOffset;
    const { counted, dead } = holds ? firstProvable(history, range.startOffset) : history.now;
    return sum + counted + dead;
  }, 0);
}

export interface LogOptions {
  readonly offsets: ReadonlyMap<number, number>;
  /** Where it would continue without a reset. */
  readonly storedOffsets: ReadonlyMap<number, number>;
}

/** @throws {OperatorError} if the counts cannot be continued with these settings. */
export function planLog(
  { claim, stored, ranges }: ResetFacts,
  { offsets, storedOffsets }: LogOptions,
): ResetPlan {
  const differences = stored ? differencesOf(stored.identity, claim) : [];
  refuse(differences, ["windowSeconds"], "--recount");
  return {
    lines: [
      `Keeps all counts and dead letters, and continues counting ${claim.identity.topic} here:`,
      ...numberTable(
        ["partition", "stored", "continues at", "log start", "log end"],
        Array.from(
          ranges,
          ([id, { startOffset, endOffset }]) => [
            id,
            storedOffsets.get(id) ?? "–",
            offsets.get(id)!,
            startOffset,
            endOffset,
          ],
        ),
      ),
      "Records before these offsets are not counted. Later records that have already been counted are counted twice.",
      "audit can prove only windows that start after everything counted so far.",
      ...differences.map(changeOf),
    ],
    change: { kind: "log", epoch: stored?.epoch ?? null, identity: claim.identity, offsets },
  };
}

/** @throws {OperatorError} if an offset is not in the log. */
export function offsetsOf(
  target: Exclude<OffsetSpec, { readonly kind: "time" }>,
  { claim: { identity: { topic } }, ranges }: ResetFacts,
): ReadonlyMap<number, number> {
  switch (target.kind) {
    case "start":
      return new Map(Array.from(ranges, ([id, { startOffset }]) => [id, startOffset]));
    case "end":
      return new Map(Array.from(ranges, ([id, { endOffset }]) => [id, endOffset]));
    case "offsets": {
      const problem = target.topic !== null && target.topic !== topic
        ? `they belong to the topic ${target.topic}, but KAFKA_TOPIC is ${topic}`
        : offsetsProblem(target.offsets, ranges);
      if (problem === null) return target.offsets;
      throw new OperatorError(`Cannot continue at these offsets: ${problem}.`);
    }
  }
}

/** Settings that decide what becomes of a record: with others, what was counted cannot be recounted. */
const RULES: readonly (keyof Identity)[] = ["maxFutureSeconds", "eventRules"];

/** @throws {OperatorError} if no setting differs, or one that needs another kind of reset. */
export function planSettings(
  { claim, stored }: CountedFacts,
  /** The greatest event time that was counted. */
  latestMs: number | null,
): ResetPlan {
  const differences = differencesOf(stored.identity, claim);
  refuse(differences, ["windowSeconds"], "--recount");
  refuse(differences, ["clusterId", "topic"], "--log");
  if (differences.length === 0) {
    throw new OperatorError("Nothing to change: the settings are those of the counts.");
  }
  const changesRules = differences.some(({ part }) => RULES.includes(part));
  return {
    lines: [
      "Keeps all counts, dead letters and offsets. For what is counted from now on:",
      ...differences.map(changeOf),
      ...changesRules
        ? [
          "Everything counted so far was judged by the old setting, and is kept. audit can prove only",
          `windows that start after it${latestMs === null ? "" : ` (${utcTime(latestMs)})`}.`,
        ]
        : ["Nothing is counted differently."],
    ],
    change: { kind: "settings", epoch: stored.epoch, identity: claim.identity, changesRules },
  };
}

function refuse(
  differences: readonly Difference[],
  parts: readonly (keyof Identity)[],
  instead: string,
): void {
  const refused = differences.filter(({ part }) => parts.includes(part));
  if (refused.length === 0) return;
  throw new OperatorError(
    `Cannot keep the counts: ${
      refused.map(({ setting, is, was }) => `${setting} is ${is}, but was ${was}`).join("; ")
    }. Set it back, or use reset ${instead}.`,
  );
}

function changeOf({ setting, is, was }: Difference): string {
  return `  ${setting}: ${was} becomes ${is}`;
}

function numberTable(
  titles: readonly string[],
  rows: readonly (readonly (number | string)[])[],
): string[] {
  return textTable(
    titles.map((title) => ({ title, isNumber: true })),
    rows.map((cells) => cells.map(String)),
  ).map((line) => `  ${line}`);
}
