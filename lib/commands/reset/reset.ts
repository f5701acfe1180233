/**
 * `reset`: changes what otherwise never changes, after it has said what it will do.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import type { Config } from "../../core/settings/config.ts";
import { placeLines } from "../../core/settings/place.ts";
import { createKafka } from "../../io/kafka/client.ts";
import { KafkaCluster } from "../../io/kafka/cluster.ts";
import { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import { kafkaOrigin } from "../../io/kafka/origin.ts";
import { type Claim, claimOf, claimPipeline, readPipeline } from "../../io/postgres/identity.ts";
import { readHistories } from "../../io/postgres/queries/audit/snapshot.ts";
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
import { assertNoActiveWorkers } from "./active_workers.ts";
import {
  assertCounted,
  offsetsOf,
  planLog,
  planRecount,
  planSettings,
  type ResetChange,
  type ResetFacts,
  type ResetPlan,
  type ResetRequest,
} from "./plan.ts";

export interface ResetOptions {
  readonly request: ResetRequest;
  readonly print: (line: string) => void;
  /** Asks whether to do it; null if nobody can answer. */
  readonly confirm: () => boolean | null;
}

/** @throws {OperatorError} if it cannot be done, is not confirmed, or workers run. */
export async function reset(
  config: Config,
  { request, print, confirm }: ResetOptions,
): Promise<void> {
  const kafka = await createKafka(config.kafka);
  await using cluster = new KafkaCluster(kafka, config.kafka);
  await using group = new ConsumerGroup(kafka, config.kafka);
  await using connection = new Connection(config.databaseUrl);
  await assertUpToDate(connection);
  await connection.assertWritable();
  const claim = claimOf(config, await kafkaOrigin(cluster));
  const stored = await readPipeline(connection);
  const ranges = new Map([...await cluster.logRanges()].sort(([a], [b]) => a - b));
  const groupIds = new Set([claim.identity.groupId, stored?.identity.groupId ?? []].flat());
  const notes = await assertNoActiveWorkers(connection, group, groupIds);
  const { lines, change } = await plan({ claim, stored, ranges }, { request, cluster, connection });
  for (const line of [...placeLines(config, claim.origin.id), "", ...lines, ...notes]) print(line);
  const answer = confirm();
  if (answer === null) {
    throw new OperatorError(
      "Nothing was reset: confirmation is required, and standard input is not a terminal. Add --yes.",
    );
  }
  if (!answer) throw new OperatorError("Nothing was reset.");
  await assertNoActiveWorkers(connection, group, groupIds);
  await apply(change, { claim, connection });
}

/** Reads what the kind of reset depends on. */
async function plan(facts: ResetFacts, { request, cluster, connection }: {
  readonly request: ResetRequest;
  readonly cluster: KafkaCluster;
  readonly connection: Connection;
}): Promise<ResetPlan> {
  switch (request.kind) {
    case "recount": {
      const counted = assertCounted(facts);
      await assertMayResetCounts(connection);
      const { topic } = counted.stored.identity;
      return planRecount(counted, {
        force: request.force,
        holdings: await holdings(connection, topic),
        histories: await readHistories(connection, topic),
        isCompacted: await cluster.isCompacted(),
      });
    }
    case "log": {
      const { target } = request;
      const offsets = target.kind === "time"
        ? await cluster.offsetsAt(target.timeMs)
        : offsetsOf(target, facts);
      const partitions = await storedPartitions(connection, facts.claim.identity.topic);
      const storedOffsets = new Map(partitions.map((row) => [row.partition, row.nextOffset]));
      return planLog(facts, { offsets, storedOffsets });
    }
    case "settings": {
      const counted = assertCounted(facts);
      const partitions = await storedPartitions(connection, counted.stored.identity.topic);
      const latestMs = partitions.reduce((ms, each) => Math.max(ms, each.maxEventTimeMs ?? 0), 0);
      return planSettings(counted, latestMs || null);
    }
  }
}

async function apply(change: ResetChange, { claim, connection }: {
  readonly claim: Claim;
  readonly connection: Connection;
}): Promise<void> {
  const epoch = change.epoch ?? await claimPipeline(connection, claim);
  switch (change.kind) {
    case "recount":
      return await resetCounts(connection, { ...change, epoch });
    case "log":
      return await resetLog(connection, { ...change, epoch });
    case "settings":
      return await resetSettings(connection, { ...change, epoch });
  }
}
