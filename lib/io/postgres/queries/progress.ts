/**
 * How far the pipeline has come: offsets, event time and publishing.
 * @module
 */

import type { Connection, Row } from "../session/connection.ts";

/** Stored next offset of each partition that has one. */
export async function storedOffsets(
  connection: Connection,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const rows = await connection.query<{ partition: number; next_offset: number }>({
    text: "select partition, next_offset from kafka_offsets where topic = $1",
    values: [topic],
  });
  return new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
}

export interface StoredPartition {
  readonly partition: number;
  readonly nextOffset: number;
  readonly maxEventTimeMs: number | null;
  readonly committedAtMs: number;
  readonly caughtUpAtMs: number | null;
}

export async function storedPartitions(
  connection: Connection,
  topic: string,
): Promise<StoredPartition[]> {
  const rows = await connection.query<
    Row & {
      readonly partition: number;
      readonly next_offset: number;
      readonly max_event_time: Date | null;
      readonly updated_at: Date;
      readonly caught_up_at: Date | null;
    }
  >({
    text: `
      select partition, next_offset, max_event_time, updated_at, caught_up_at
      from kafka_offsets
      where topic = $1
      order by partition`,
    values: [topic],
  });
  return rows.map((row) => ({
    partition: row.partition,
    nextOffset: row.next_offset,
    maxEventTimeMs: row.max_event_time?.getTime() ?? null,
    committedAtMs: row.updated_at.getTime(),
    caughtUpAtMs: row.caught_up_at?.getTime() ?? null,
  }));
}

/** How far event time has come, and the database's clock, by which its times are. */
export interface EventTimeStatus {
  readonly watermarkMs: number | null;
  /** Windows that end at or before it are closed; null if none is. */
  readonly closedUpToMs: number | null;
  readonly nowMs: number;
}

export async function eventTimeStatus(connection: Connection): Promise<EventTimeStatus> {
  const [row] = await connection.query<
    Row & { readonly watermark: Date | null; readonly closed_up_to: Date | null; now: Date }
  >({
    text: "select watermark, closed_up_to, now() from (select) as one left join pipeline on true",
  });
  return {
    watermarkMs: row!.watermark?.getTime() ?? null,
    closedUpToMs: row!.closed_up_to?.getTime() ?? null,
    nowMs: row!.now.getTime(),
  };
}

/** How much of the closed windows was handed to the publisher, and what of that waits. */
export async function outboxStatus(
  connection: Connection,
): Promise<{ readonly handedOverToMs: number | null; readonly waiting: number }> {
  const [row] = await connection.query<{ outbox_up_to: Date | null; waiting: number }>({
    text: `
      select
        (select outbox_up_to from pipeline) as outbox_up_to,
        (select count(*) from outbox) as waiting`,
  });
  return { handedOverToMs: row!.outbox_up_to?.getTime() ?? null, waiting: row!.waiting };
}
