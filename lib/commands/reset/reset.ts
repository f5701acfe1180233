/**
 * `reset`: takes back what is otherwise for good, after it has said what it will do.
 * @module
 */

import { firstProvable } from "../../core/audit/history.ts";
import { OperatorError } from "../../core/failure.ts";
import type { LogRange } from "../../core/offsets/log_range.ts";
import { type OffsetSpec, offsetsProblem } from "../../core/offsets/offset_spec.ts";
import type { Config } from "../../core/settings/config.ts";
import { placeLines } from "../../core/settings/place.ts";
import { groupDigits } from "../../core/text/numbers.ts";
import { textTable } from "../../core/text/table.ts";
import { utcTime } from "../../core/text/time.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import {
  type Claim,
  claimPipeline,
  type Difference,
  differencesOf,
  type Identity,
  readPipeline,
} from "../../io/postgres/identity.ts";
import { claimOf } from "../../io/postgres/identity.ts";
import { readHistories } from "../../io/postgres/queries/audit_snapshot.ts";
import { storedPartitions } from "../../io/postgres/queries/progress.ts";
import {
  assertMayResetCounts,
  holdings,
  resetCounts,
  resetLog,
  resetSettings,
} from "../../io/postgres/reset.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { bystanders } from "./bystanders.ts";

/** What is to be reset. */
export type ResetKind =
  | { readonly kind: "recount"; readonly force: number | undefined }
  | { readonly kind: "log"; readonly target: OffsetSpec }
  | { readonly kind: "settings" };

export interface ResetOptions {
  readonly reset: ResetKind;
  /** Shows a line of what will be done. */
  readonly print: (line: string) => void;
  /** Asks whether to do it; null if nobody can answer. */
  readonly confirm: () => boolean | null;
}

/** What will be done, and how. */
interface Plan {
  readonly lines: readonly string[];
  readonly apply: () => Promise<void>;
}

/** @throws {OperatorError} if it cannot be done, is not wanted, or workers run. */
export async function reset(config: Config, options: ResetOptions): Promise<void> {
  const kafka = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(kafka, config.kafka);
  await using group = new ConsumerGroup(kafka, config.kafka);
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  await connection.assertWritable();
  const situation: Situation = {
    config,
    cluster,
    connection,
    claim: claimOf(config, await kafkaOrigin(cluster)),
    stored: await readPipeline(connection),
    ranges: new Map([...await cluster.logRanges()].sort(([a], [b]) => a - b)),
  };
  const { claim, stored } = situation;
  const look = () =>
    bystanders(connection, group, [
      ...new Set([claim.identity.groupId, stored?.identity.groupId ?? []].flat()),
    ]);
  const others = await look();
  const { lines, apply } = await planOf(situation, options.reset);
  const { clusterId } = situation.claim.identity;
  for (const line of [...placeLines(config, clusterId), "", ...lines, ...others]) {
    options.print(line);
  }
  const answer = options.confirm();
  if (answer === null) {
    throw new OperatorError(
      "Nothing was reset: nobody can answer, because this is no terminal. Say --yes.",
    );
  }
  if (!answer) throw new OperatorError("Nothing was reset.");
  await look();
  await apply();
}

interface Situation {
  readonly config: Config;
  readonly cluster: KafkaCluster;
  readonly connection: Connection;
  readonly claim: Claim;
  /** Null if nothing was counted yet. */
  readonly stored: { readonly identity: Identity; readonly epoch: number } | null;
  readonly ranges: ReadonlyMap<number, LogRange>;
}

async function planOf(situation: Situation, reset: ResetKind): Promise<Plan> {
  switch (reset.kind) {
    case "recount":
      return await planRecount(situation, reset.force);
    case "log":
      return await planLog(situation, reset.target);
    case "settings":
      return planSettings(situation);
  }
}

async function planRecount(situation: Situation, force: number | undefined): Promise<Plan> {
  const { config: { kafka: { topic } }, connection, claim, ranges } = situation;
  const { epoch, identity: counted } = assertCounted(situation);
  await assertMayResetCounts(connection);
  const { rows, deadLetters, replayedLetters, recordsLeft } = await holdings(
    connection,
    counted.topic,
  );
  const gone = recordsLeft + await recordsGone(situation);
  if (gone > 0 && force !== rows) {
    throw new OperatorError(
      `Cannot recount without loss: up to ${
        groupDigits(gone)
      } of the records that were counted are not in ` +
        `the log of ${topic} any more. To lose what they stand for, say --force ${rows}: ` +
        `that is the number of rows that will be deleted.`,
    );
  }
  return {
    lines: [
      `Deletes all counts (${groupDigits(rows)} rows), ${
        groupDigits(deadLetters)
      } dead letters and the offsets.`,
      ...replayedLetters > 0
        ? [`${groupDigits(replayedLetters)} of them were replayed, and have to be once more.`]
        : [],
      `The next worker counts ${topic} anew, from its start:`,
      ...rangeLines(ranges),
      ...gone > 0 ? [`Up to ${groupDigits(gone)} records are lost for good.`] : [],
      ...differencesOf(counted, claim).map(taken),
    ],
    apply: () => resetCounts(connection, { epoch, identity: claim.identity }),
  };
}

/** At most how many of the records that were counted the log does not hold any more. */
async function recordsGone(
  { cluster, connection, claim, stored, ranges }: Situation,
): Promise<number> {
  const { topic, clusterId } = stored!.identity;
  const isSameLog = topic === claim.identity.topic && clusterId === claim.identity.clusterId &&
    !await cluster.isCompacted();
  const histories = await readHistories(connection, topic);
  return histories.reduce((sum, history) => {
    const range = ranges.get(history.partition);
    const holds = isSameLog && range !== undefined && history.now.nextOffset <= range.endOffset;
    const { counted, dead } = holds ? firstProvable(history, range.startOffset) : history.now;
    return sum + counted + dead;
  }, 0);
}

async function planLog(situation: Situation, target: OffsetSpec): Promise<Plan> {
  const { config: { kafka: { topic } }, connection, claim, stored, ranges } = situation;
  const offsets = await resolve(situation, target);
  const differences = stored ? differencesOf(stored.identity, claim) : [];
  refuse(differences, ["windowSeconds"], "--recount");
  const before = new Map(
    (await storedPartitions(connection, topic)).map((row) => [row.partition, row.nextOffset]),
  );
  return {
    lines: [
      `Keeps all counts and dead letters, and goes on counting ${topic} from these offsets:`,
      ...textTable(
        ["partition", "stored", "goes on at", "log start", "log end"].map((title) => ({
          title,
          isNumber: true,
        })),
        Array.from(ranges, ([partition, { startOffset, endOffset }]) => [
          String(partition),
          String(before.get(partition) ?? "–"),
          String(offsets.get(partition)),
          String(startOffset),
          String(endOffset),
        ]),
      ).map((line) => `  ${line}`),
      "Records before these offsets are not counted. Records after them that were counted already are counted twice.",
      "audit can prove only windows that begin after those that are counted by now.",
      ...differences.map(taken),
    ],
    apply: async () => {
      const epoch = stored?.epoch ?? await claimPipeline(connection, claim);
      await resetLog(connection, { epoch, identity: claim.identity, offsets });
    },
  };
}

async function resolve(
  { config: { kafka: { topic } }, cluster, ranges }: Situation,
  target: OffsetSpec,
): Promise<ReadonlyMap<number, number>> {
  switch (target.kind) {
    case "start":
      return new Map(Array.from(ranges, ([id, { startOffset }]) => [id, startOffset]));
    case "end":
      return new Map(Array.from(ranges, ([id, { endOffset }]) => [id, endOffset]));
    case "time":
      return await cluster.offsetsAt(target.timeMs);
    case "offsets": {
      const problem = target.topic !== null && target.topic !== topic
        ? `they are those of the topic ${target.topic}, but KAFKA_TOPIC is ${topic}`
        : offsetsProblem(target.offsets, ranges);
      if (problem === null) return target.offsets;
      throw new OperatorError(`Cannot go on at these offsets: ${problem}.`);
    }
  }
}

/** Settings that decide what becomes of a record: with others, what was counted cannot be recounted. */
const RULES: readonly (keyof Identity)[] = ["maxFutureSeconds", "eventRules"];

async function planSettings(situation: Situation): Promise<Plan> {
  const { connection, claim } = situation;
  const { epoch, identity: counted } = assertCounted(situation);
  const differences = differencesOf(counted, claim);
  refuse(differences, ["windowSeconds"], "--recount");
  refuse(differences, ["clusterId", "topic"], "--log");
  if (differences.length === 0) {
    throw new OperatorError("Nothing to take over: the settings are those of the counts.");
  }
  const changesRules = differences.some(({ part }) => RULES.includes(part));
  const partitions = await storedPartitions(connection, counted.topic);
  const latestMs = partitions.reduce((ms, each) => Math.max(ms, each.maxEventTimeMs ?? 0), 0);
  return {
    lines: [
      "Keeps all counts, dead letters and offsets, and takes over for what is counted from now on:",
      ...differences.map(taken),
      ...changesRules
        ? [
          "What was counted before was judged by the old setting, and stays so. audit can prove only windows",
          `that begin after what is counted by now${
            latestMs > 0 ? ` (${utcTime(latestMs)})` : ""
          }.`,
        ]
        : ["Nothing is counted otherwise than before."],
    ],
    apply: () => resetSettings(connection, { epoch, identity: claim.identity, changesRules }),
  };
}

function assertCounted({ stored }: Situation): NonNullable<Situation["stored"]> {
  if (stored) return stored;
  throw new OperatorError("Nothing to reset: nothing was counted into this database yet.");
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

function taken({ setting, is, was }: Difference): string {
  return `  ${setting}: ${was} becomes ${is}`;
}

function rangeLines(ranges: ReadonlyMap<number, LogRange>): string[] {
  const columns = ["partition", "log start", "log end"].map((title) => ({ title, isNumber: true }));
  return textTable(
    columns,
    Array.from(
      ranges,
      ([partition, { startOffset, endOffset }]) => [partition, startOffset, endOffset].map(String),
    ),
  ).map((line) => `  ${line}`);
}
