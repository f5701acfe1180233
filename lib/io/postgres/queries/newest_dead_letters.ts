/**
 * The newest dead letters, as a page shows them.
 * @module
 */

import { isMigrated } from "../schema/migrate.ts";
import type { Connection, Row } from "../session/connection.ts";

/** A dead letter as it is shown: with the first bytes only. */
export interface LetterPreview {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly receivedMs: number;
  readonly recordTimestampMs: number | null;
  readonly replayedMs: number | null;
  readonly key: BytesPreview | null;
  readonly value: BytesPreview | null;
}

/** The first bytes, and the number of all. */
export interface BytesPreview {
  readonly length: number;
  readonly head: Uint8Array;
}

/** The newest dead letters, with at most `headBytes` of key and value. */
export async function readLetters(
  connection: Connection,
  { limit, headBytes }: { readonly limit: number; readonly headBytes: number },
): Promise<LetterPreview[]> {
  if (!await isMigrated(connection)) return [];
  const rows = await connection.query<
    Row & {
      readonly topic: string;
      readonly partition: number;
      readonly kafka_offset: number;
      readonly reason: string;
      readonly received_at: Date;
      readonly record_timestamp: Date | null;
      readonly replayed_at: Date | null;
      readonly key_length: number | null;
      readonly key_head: Uint8Array | null;
      readonly value_length: number | null;
      readonly value_head: Uint8Array | null;
    }
  >({
    text: `
      select
        topic, partition, kafka_offset, reason, received_at, record_timestamp, replayed_at,
        coalesce(key_size, octet_length(key)) as key_length, substring(key from 1 for $2) as key_head,
        coalesce(value_size, octet_length(value)) as value_length, substring(value from 1 for $2) as value_head
      from dead_letters
      order by received_at desc, partition desc, kafka_offset desc
      limit $1`,
    values: [limit, headBytes],
  });
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    offset: row.kafka_offset,
    reason: row.reason,
    receivedMs: row.received_at.getTime(),
    recordTimestampMs: row.record_timestamp?.getTime() ?? null,
    replayedMs: row.replayed_at?.getTime() ?? null,
    key: preview(row.key_length, row.key_head),
    value: preview(row.value_length, row.value_head),
  }));
}

function preview(length: number | null, head: Uint8Array | null): BytesPreview | null {
  return length === null || head === null ? null : { length, head };
}
