/**
 * Workers that run keep a pipeline from being reset; others are only mentioned.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import type { GroupMember, WorkerStatus } from "../../core/offsets/coverage.ts";
import { utcTime } from "../../core/text/time.ts";
import type { ConsumerGroup } from "../../io/kafka/group/consumer_group.ts";
import type { Connection } from "../../io/postgres/session/connection.ts";
import { listWorkers } from "../../io/postgres/worker_registry.ts";

/** What all workers called themselves in Kafka before each had a name, and a row that is renewed. */
const FORMER_CLIENT_ID = "lottery-events-pipeline";

/**
 * Makes sure that no worker of this database runs: it would undo what is decided.
 * @returns what to say of others. None of them can commit after the reset, which begins an epoch.
 * @throws {OperatorError} naming those that run.
 */
export async function assertNoActiveWorkers(
  connection: Connection,
  group: ConsumerGroup,
  groupIds: Iterable<string>,
): Promise<string[]> {
  const groups = await Promise.all(Array.from(groupIds, (id) => group.describe(id)));
  const members = groups.flatMap(({ members }) => members ?? []);
  const workers = await listWorkers(connection);
  const isMember = ({ id, seenMs }: WorkerStatus) =>
    members.some(({ clientId }) => clientId === (seenMs === null ? FORMER_CLIENT_ID : id));
  const running = workers.filter((worker) => worker.isAlive || isMember(worker));
  if (running.length > 0) {
    const isOne = running.length === 1;
    const names = running.map(({ id, host }) => `${id} on ${host}`).join(", ");
    throw new OperatorError(
      `Cannot reset while ${isOne ? "a worker is running" : "workers are running"}: ${names}. ` +
        `Stop ${isOne ? "it" : "them"} first. ` +
        "A worker that was killed or is frozen counts as stopped after 20 seconds.",
    );
  }
  const strangers = members.filter(({ clientId }) => !workers.some(({ id }) => id === clientId));
  return [...workers.map(silent), ...strangers.map((member) => stranger(member))];
}

function silent({ id, host, seenMs }: WorkerStatus): string {
  const silence = seenMs === null
    ? "does not report whether it is running"
    : `has not been heard from since ${utcTime(seenMs)}`;
  return `Worker ${id} on ${host} ${silence}. ` +
    "If it is only frozen or disconnected, it cannot commit after the reset, and stops.";
}

function stranger({ clientId, host }: GroupMember): string {
  return `${clientId} on ${host} is in the consumer group, but is not a worker of this database.`;
}
