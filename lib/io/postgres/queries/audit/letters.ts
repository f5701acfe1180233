/**
 * Dead letters as an audit reads them: in pages, within its transaction.
 * @module
 */

import type { DeadLetterDifference } from "../../../../core/audit/partition_audit.ts";
import { HASHED, IS_INTACT } from "../../dead_letters.ts";
import type { Row } from "../../session/connection.ts";
import { paged, type Reader } from "./paged.ts";

/** Letters that a step hashes: a statement that reads many more may be given up for its time. */
const STEP_LETTERS = 50_000;

export interface LettersOf {
  readonly topic: string;
  readonly partition: number;
}

/** Of one partition, from an offset on, in their order. */
export function storedLetters(
  connection: Reader,
  { topic, partition, from }: LettersOf & { readonly from: number },
) {
  return paged<
    Row & {
      readonly kafka_offset: number;
      readonly reason: string;
      readonly sha256: Uint8Array;
      readonly is_intact: boolean;
    }
  >(connection, {
    text: `
      select kafka_offset, reason, sha256, ${IS_INTACT} as is_intact
      from dead_letters
      cross join ${HASHED}
      where topic = $1 and partition = $2 and kafka_offset >= $3
      order by kafka_offset`,
    values: [topic, partition, from],
  });
}

/** Of all logs: a replayed letter says itself what was counted. */
export function replayedLetters(connection: Reader) {
  return paged<
    Row & {
      readonly partition: number;
      readonly kafka_offset: number;
      readonly replayed_value: Uint8Array;
      readonly replayed_window: Date;
    }
  >(connection, {
    text: `
      select
        partition, kafka_offset,
        coalesce(replayed_value, '') as replayed_value,
        case
          when replayed_window >= 'epoch' and replayed_window < '10000-01-01Z' then replayed_window
          else 'epoch'
        end as replayed_window
      from dead_letters
      where replayed_at is not null
      order by topic, partition, kafka_offset`,
  });
}

/**
 * Those of one partition, before an offset, whose content is not what was stored; in steps, without
 * comparing them with the log.
 */
export async function changedLetters(
  connection: Reader,
  { topic, partition, before, stepLetters = STEP_LETTERS }: LettersOf & {
    readonly before: number;
    readonly stepLetters?: number;
  },
): Promise<DeadLetterDifference[]> {
  const differences: DeadLetterDifference[] = [];
  for (let from = Number.MIN_SAFE_INTEGER; from < before;) {
    const rows = await connection.query<
      { next: number | null; kafka_offset: number | null; reason: string }
    >({
      text: `
        with step as materialized (
          select kafka_offset, reason, ${IS_INTACT} as is_intact
          from dead_letters
          cross join ${HASHED}
          where topic = $1 and partition = $2 and kafka_offset >= $3 and kafka_offset < $4
          order by kafka_offset
          limit $5
        )
        select next, changed.kafka_offset, changed.reason
        from (
          select case when count(*) = $5 then max(kafka_offset) + 1 end as next from step
        ) read
        left join step changed on not is_intact
        order by changed.kafka_offset`,
      values: [topic, partition, from, before, stepLetters],
    });
    for (const { kafka_offset: offset, reason } of rows) {
      if (offset === null) continue;
      const [stored, recounted] = [`${reason}, content changed`, `${reason}, as received`];
      differences.push({ partition, offset, stored, recounted });
    }
    from = rows[0]!.next ?? Infinity;
  }
  return differences;
}
