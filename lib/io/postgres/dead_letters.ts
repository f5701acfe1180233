/**
 * Stored dead letters: finds, reads and replays them.
 * @module
 */

import type { DeadLetter } from "../../core/dead_letters/dead_letter.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Cut, RecordHeader } from "../../core/records/record_batch.ts";
import type { LotteryEvent } from "../../core/windowing/event.ts";
import { windowStart } from "../../core/windowing/window.ts";
import type { Connection, Row } from "./session/connection.ts";

export interface RecordPosition {
  readonly partition: number;
  readonly offset: number;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly receivedMs: number;
  /** False if what came with the record was changed. */
  readonly isIntact: boolean;
  /** When and as what it was replayed, or null if it was not. */
  readonly replay: { readonly replayedMs: number; readonly value: Uint8Array } | null;
}

/** Which dead letters are meant; a property that is left out does not matter. */
export interface DeadLetterFilter {
  readonly reason?: string;
  readonly partition?: number;
  /** Offsets `[fromOffset, toOffset]`. */
  readonly fromOffset?: number;
  readonly toOffset?: number;
  /** Times of receipt `[sinceMs, untilMs)`, in milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly isReplayed: boolean;
}

/** What a dead letter has to be judged by, to be counted like all the others. */
export interface ReplayRules {
  readonly windowMs: number;
  readonly maxFutureMs: number;
  readonly eventRules: number;
  /** Windows that start before it are deleted; −∞ if none is. */
  readonly horizonMs: number;
}

/** A dead letter that turned out to be an event. */
export interface Replay {
  readonly position: RecordPosition;
  /** What was judged: the letter's own value, or a repaired one. */
  readonly value: Uint8Array;
  readonly event: LotteryEvent;
}

/** The content that a letter has now, as `letter_sha256` takes it. */
const CONTENT =
  "record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256";

/** Its hash as the column `sha256`, to join to the letters; computed once for each. */
export const HASHED = `lateral (select letter_sha256(${CONTENT}) as sha256 offset 0) hashed`;

/** Whether it is what was stored. Without a stored hash, only what no record can be tells that it is not. */
export const IS_INTACT = "(coalesce(content_sha256 = sha256, true) and sha256 <> '')";

/** A time in milliseconds; −1 for one that can only have been stored by hand. */
function millisecondsOf(time: string, rounding: "floor" | "round" = "floor"): string {
  return `
    case
      when ${time} < 'epoch' or ${time} >= '10000-01-01Z' then -1
      else ${rounding}(extract(epoch from ${time}) * 1000)::bigint
    end`;
}

export class DeadLetterStore {
  readonly #connection: Connection;
  readonly #topic: string;

  constructor(connection: Connection, topic: string) {
    this.#connection = connection;
    this.#topic = topic;
  }

  /** Positions of at most `limit` letters, the newest first. */
  async find(filter: DeadLetterFilter, limit: number): Promise<RecordPosition[]> {
    const { reason, partition, fromOffset, toOffset, sinceMs, untilMs, isReplayed } = filter;
    return await this.#connection.query<{ partition: number; offset: number }>({
      text: `
        select partition, kafka_offset as offset
        from dead_letters
        where topic = $1
          and (replayed_at is not null) = $2
          and ($3::text is null or reason = $3)
          and ($4::integer is null or partition = $4)
          and ($5::bigint is null or kafka_offset >= $5)
          and ($6::bigint is null or kafka_offset <= $6)
          and ($7::bigint is null or received_at >= to_timestamp($7 / 1000.0))
          and ($8::bigint is null or received_at < to_timestamp($8 / 1000.0))
        order by received_at desc, partition desc, kafka_offset desc
        limit $9`,
      values: [
        this.#topic,
        isReplayed,
        reason ?? null,
        partition ?? null,
        fromOffset ?? null,
        toOffset ?? null,
        sinceMs ?? null,
        untilMs ?? null,
        limit,
      ],
    });
  }

  /** The letters that stand there, in the order asked for; without those that are gone. */
  async read(positions: readonly RecordPosition[]): Promise<StoredDeadLetter[]> {
    const rows = await this.#connection.query<LetterRow>({
      text: `
        select
          partition, kafka_offset, reason, key, value, replayed_value,
          case when jsonb_typeof(headers) = 'array' then headers else '[]' end as headers,
          key_size, value_size, headers_size, record_sha256,
          ${IS_INTACT} as is_intact,
          ${millisecondsOf("record_timestamp", "round")} as record_ms,
          ${millisecondsOf("received_at")} as received_ms,
          ${millisecondsOf("replayed_at")} as replayed_ms
        from unnest($2::integer[], $3::bigint[]) with ordinality
          as asked (partition, kafka_offset, place)
        join dead_letters using (partition, kafka_offset)
        cross join ${HASHED}
        where topic = $1
        order by place`,
      values: [
        this.#topic,
        positions.map(({ partition }) => partition),
        positions.map(({ offset }) => offset),
      ],
    });
    return rows.map(toLetter);
  }

  /** @throws {OperatorError} if nothing was counted yet. */
  async rules(): Promise<ReplayRules> {
    const [row] = await this.#connection.query<
      { window: number; max_future: number; event_rules: number; horizon: Date | null }
    >({
      text: `
        select
          window_seconds as window, max_future_seconds as max_future, event_rules,
          aggregates_horizon as horizon
        from pipeline`,
    });
    if (!row) throw new OperatorError("Cannot replay anything: nothing was counted yet.");
    return {
      windowMs: row.window * 1000,
      maxFutureMs: row.max_future * 1000,
      eventRules: row.event_rules,
      horizonMs: row.horizon?.getTime() ?? -Infinity,
    };
  }

  /**
   * Counts them, all in one transaction, each only if it was not replayed before.
   * @returns those that were counted.
   */
  async replay(replays: readonly Replay[], { windowMs }: ReplayRules): Promise<RecordPosition[]> {
    return await this.#connection.query<{ partition: number; offset: number }>({
      text: `
        select replayed_partition as partition, replayed_offset as offset
        from replay_dead_letters($1, $2, $3, $4, $5, $6, $7)`,
      values: [
        this.#topic,
        replays.map(({ position }) => position.partition),
        replays.map(({ position }) => position.offset),
        replays.map(({ value }) => `\\x${value.toHex()}`),
        replays.map(({ event }) => windowStart(event.timestampMs, windowMs)),
        replays.map(({ event }) => event.lotteryName),
        replays.map(({ event }) => event.eventType),
      ],
    });
  }
}

interface LetterRow extends Row {
  readonly partition: number;
  readonly kafka_offset: number;
  readonly reason: DeadLetter["reason"];
  readonly record_ms: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly unknown[];
  readonly received_ms: number;
  readonly replayed_ms: number | null;
  readonly replayed_value: Uint8Array | null;
  readonly key_size: number | null;
  readonly value_size: number | null;
  readonly headers_size: number | null;
  /** Null if the letter is whole. */
  readonly record_sha256: Uint8Array | null;
  readonly is_intact: boolean;
}

function toLetter(row: LetterRow): StoredDeadLetter {
  return {
    partition: row.partition,
    offset: row.kafka_offset,
    reason: row.reason,
    recordTimestampMs: row.record_ms ?? -1,
    key: row.key,
    value: row.value,
    headers: row.headers.flatMap(toHeader),
    cut: toCut(row),
    isIntact: row.is_intact,
    receivedMs: row.received_ms,
    replay: row.replayed_ms === null || row.replayed_value === null
      ? null
      : { replayedMs: row.replayed_ms, value: row.replayed_value },
  };
}

function toCut({ key_size, value_size, headers_size, record_sha256 }: LetterRow): Cut | null {
  return record_sha256 && {
    keySize: key_size,
    valueSize: value_size,
    headersSize: headers_size ?? 0,
    sha256: record_sha256,
  };
}

/** A header as the sink writes it. */
interface StoredHeader {
  readonly key?: string;
  readonly key_base64?: string;
  readonly value_base64: string | null;
}

/** Nothing of one that is malformed: the letter was changed, which `isIntact` says. */
function toHeader(header: unknown): RecordHeader[] {
  try {
    const { key, key_base64, value_base64 } = header as StoredHeader;
    return [{
      key: key === undefined ? Uint8Array.fromBase64(key_base64!) : new TextEncoder().encode(key),
      value: value_base64 === null ? null : Uint8Array.fromBase64(value_base64),
    }];
  } catch {
    return [];
  }
}
