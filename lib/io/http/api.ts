/**
 * What the JSON API answers: the same words as the tables, times in ISO 8601, everything bounded.
 * @module
 */

import type {
  BytesPreview,
  CountRow,
  CountsQuery,
  LetterPreview,
  LotterySearch,
} from "../postgres/queries/api_reader.ts";
import type { StoredPartition } from "../postgres/queries/status_reader.ts";
import { VERSION } from "../version.ts";
import type { PipelineStatus } from "./pipeline_status.ts";

/** First bytes of keys and values that an answer shows. */
export const HEAD_BYTES = 1_024;

/** Rows of counts; one more than `limit` tells that there are more. */
export function countsJson({ fromMs, toMs, limit }: CountsQuery, rows: readonly CountRow[]) {
  return {
    from: iso(fromMs),
    to: iso(toMs),
    truncated: rows.length > limit,
    aggregates: rows.slice(0, limit).map((row) => ({
      window_start: iso(row.windowStartMs),
      window_end: iso(row.windowEndMs),
      lottery_name: row.lotteryName,
      event_type: row.eventType,
      event_count: row.count,
      closed: row.isClosed,
    })),
  };
}

/** Names of lotteries; one more than `limit` tells that there are more. */
export function lotteriesJson({ limit }: LotterySearch, names: readonly string[]) {
  return { truncated: names.length > limit, lotteries: names.slice(0, limit) };
}

export function lettersJson(letters: readonly LetterPreview[]) {
  return {
    dead_letters: letters.map((letter) => ({
      topic: letter.topic,
      partition: letter.partition,
      offset: letter.offset,
      reason: letter.reason,
      received_at: iso(letter.receivedMs),
      record_timestamp: isoOrNull(letter.recordTimestampMs),
      replayed_at: isoOrNull(letter.replayedMs),
      key: bytesJson(letter.key),
      value: bytesJson(letter.value),
    })),
  };
}

/** How the pipeline is; `all_workers` is null before the database was read. */
export function statusJson(
  { topic, groupId, nowMs, demo, database, worker, shared }: PipelineStatus,
) {
  return {
    version: VERSION,
    topic,
    group_id: groupId,
    now: iso(nowMs),
    demo: demo && {
      speed: demo.speed,
      jackpot: demo.jackpot && {
        lottery_name: demo.jackpot.lotteryName,
        millions: demo.jackpot.millions,
      },
    },
    source: { name: worker.sourceName, ...systemJson(worker.source) },
    postgresql: { ...systemJson(database), read_at: isoOrNull(database.readMs) },
    all_workers: shared && {
      workers: shared.workers,
      events: shared.events,
      events_per_second: shared.eventsPerSecond,
      dead_letters: shared.deadLetters,
      lag_records: shared.lagRecords,
      watermark: isoOrNull(shared.watermarkMs),
      watermark_delay_seconds: shared.watermarkMs === null
        ? null
        : (shared.nowMs - shared.watermarkMs) / 1000,
      window_seconds: shared.windowMs / 1000,
      closed_up_to: isoOrNull(shared.closedUpToMs),
      current_window: isoOrNull(shared.currentWindowMs),
      uncounted_partitions: shared.uncounted.map(({ partition, reason, holder, sinceMs }) => ({
        partition,
        reason,
        client_id: holder?.clientId ?? null,
        host: holder?.host ?? null,
        since: iso(sinceMs),
      })),
      problems: shared.problems,
      partitions: shared.partitions.map((partition) => ({
        ...partitionJson(partition),
        end_offset: shared.ends.get(partition.partition) ?? null,
      })),
    },
    this_worker: {
      id: worker.id,
      started_at: iso(worker.startedMs),
      partitions: worker.partitions,
      events_per_second: worker.eventsPerSecond,
      events_by_second: worker.eventsBySecond,
      latency_ms: worker.latencyMs,
      last_commit_at: isoOrNull(worker.lastCommitMs),
      late_events: worker.lateEvents,
      fenced_commits: worker.fencedCommits,
    },
  };
}

/** What `/api/status` answers, and the page is sent once a second. */
export type StatusJson = ReturnType<typeof statusJson>;
/** What `/api/lotteries` answers. */
export type LotteriesJson = ReturnType<typeof lotteriesJson>;
/** What `/api/dead-letters` answers. */
export type LettersJson = ReturnType<typeof lettersJson>;

function systemJson({ state, sinceMs }: { readonly state: string; readonly sinceMs: number }) {
  return { state, since: iso(sinceMs) };
}

function partitionJson({ partition, nextOffset, committedAtMs, maxEventTimeMs }: StoredPartition) {
  return {
    partition,
    stored_offset: nextOffset,
    committed_at: iso(committedAtMs),
    watermark: isoOrNull(maxEventTimeMs),
  };
}

/** Text as far as it is UTF-8, and the bytes as they are. */
function bytesJson(bytes: BytesPreview | null) {
  return bytes && {
    bytes: bytes.length,
    truncated: bytes.length > bytes.head.length,
    text: new TextDecoder().decode(bytes.head),
    base64: bytes.head.toBase64(),
  };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function isoOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : iso(timeMs);
}
