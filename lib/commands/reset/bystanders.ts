/**
 * Who is there while a pipeline is reset: living workers, which keep it from being reset, and those
 * of whom it is only said.
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
 * What has to be said of others. None of them can commit after the reset, which begins an epoch.
 * @throws {OperatorError} while a worker of this database runs: it would be in the way of what is decided.
 */
export async function bystanders(
  connection: Connection,
  group: ConsumerGroup,
  groupIds: readonly string[],
): Promise<string[]> {
  const groups = await Promise.all(groupIds.map((id) => group.describe(id)));
  const members = groups.flatMap(({ members }) => members ?? []);
  const workers = await listWorkers(connection);
  const isMember = ({ id, seenMs }: WorkerStatus) =>
    members.some(({ clientId }) => clientId === (seenMs === null ? FORMER_CLIENT_ID : id));
  const running = workers.filter((worker) => worker.isAlive || isMember(worker));
  if (running.length > 0) {
    throw new OperatorError(
      `Cannot reset while ${running.length === 1 ? "a worker runs" : "workers run"}: ${
        running.map(({ id, host }) => `${id} on ${host}`).join(", ")
      }. Stop ${running.length === 1 ? "it" : "them"} first. ` +
        "One that was killed or frozen counts as ended after 20 seconds.",
    );
  }
  const strangers = members.filter(({ clientId }) => !workers.some(({ id }) => id === clientId));
  return [...workers.map(silent), ...strangers.map((member) => stranger(member))];
}

function silent({ id, host, seenMs }: WorkerStatus): string {
  const silence = seenMs === null
    ? "does not say whether it runs"
    : `has not been heard of since ${utcTime(seenMs)}`;
  return `The worker ${id} on ${host} ${silence}. ` +
    "If it is only frozen or cut off, it cannot commit after this, and stops.";
}

function stranger({ clientId, host }: GroupMember): string {
  return `${clientId} on ${host} is in the group, and is not a worker of this database.`;
}
