/**
 * The JSON of the API and of live updates: the same words as the tables, times in ISO 8601,
 * everything bounded.
 * @module
 */

import { isoTime } from "../../core/text/time.ts";
import { auditJson } from "../../core/views/audit_verdict.ts";
import { quietJson } from "../../core/views/quiet.ts";
import { stepName } from "../../core/views/steps.ts";
import type { WindowView } from "../../core/views/window_view.ts";
import type { LotterySearch } from "../postgres/queries/lotteries.ts";
import type { BytesPreview, LetterPreview } from "../postgres/queries/newest_dead_letters.ts";
import type { StoredPartition } from "../postgres/queries/progress.ts";
import { VERSION } from "../version.ts";
import type { PipelineStatus } from "./pipeline_status.ts";

/** First bytes of keys and values that a response has. */
export const HEAD_BYTES = 1_024;

/** @param names one more than `limit` if more exist. */
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
      received_at: isoTime(letter.receivedMs),
      record_timestamp: isoTime(letter.recordTimestampMs),
      replayed_at: isoTime(letter.replayedMs),
      key: bytesJson(letter.key),
      value: bytesJson(letter.value),
    })),
  };
}

/** `all_workers` is null until the database has been read. */
export function statusJson(
  { topic, groupId, nowMs, demo, database, worker, workerId, shared }: PipelineStatus,
) {
  return {
    version: VERSION,
    topic,
    group_id: groupId,
    now: isoTime(nowMs),
    demo: demo && {
      speed: demo.speed,
      jackpot: demo.jackpot && {
        lottery_name: demo.jackpot.lotteryName,
        millions: demo.jackpot.millions,
      },
      chaos: demo.chaos,
    },
    source: { name: worker.sourceName, ...systemJson(worker.systemState("Kafka")) },
    postgresql: { ...systemJson(database), read_at: isoTime(database.readMs) },
    all_workers: shared && {
      workers: shared.workers,
      events: shared.events,
      events_per_second: shared.eventsPerSecond,
      dead_letters: shared.deadLetters,
      lag_records: shared.lagRecords,
      watermark: isoTime(shared.watermarkMs),
      watermark_delay_seconds: shared.watermarkMs === null
        ? null
        : (shared.nowMs - shared.watermarkMs) / 1000,
      window_seconds: shared.windowMs / 1000,
      closed_up_to: isoTime(shared.closedUpToMs),
      current_window: isoTime(shared.currentWindowMs),
      uncounted_partitions: shared.uncounted.map(({ partition, reason, holder, sinceMs }) => ({
        partition,
        reason,
        client_id: holder?.clientId ?? null,
        host: holder?.host ?? null,
        since: isoTime(sinceMs),
      })),
      problems: shared.problems,
      partitions: shared.partitions.map((partition) => ({
        ...partitionJson(partition),
        end_offset: shared.ends.get(partition.partition) ?? null,
      })),
    },
    audit: shared?.audit ? auditJson(shared.audit, shared.nowMs) : null,
    books_difference: worker.booksDifference,
    quiet: (shared?.quiet.listed ?? []).map(quietJson),
    quiet_lotteries: shared?.quiet.total ?? null,
    this_worker: {
      id: workerId,
      started_at: isoTime(worker.startedMs),
      partitions: worker.assignedPartitions,
      events_per_second: worker.eventsPerSecond,
      events_by_second: worker.eventsBySecond,
      latency_ms: worker.latencyMs,
      last_commit_at: isoTime(worker.lastCommitMs),
      late_events: worker.lateEvents,
      fenced_commits: worker.fencedCommits,
    },
  };
}

/** The counts of an open page, sent as the event `counts`; null before the first commit. */
export function viewJson(view: WindowView | null) {
  return view && {
    from: isoTime(view.fromMs),
    to: isoTime(view.toMs),
    step: stepName(view.stepMs),
    step_seconds: view.stepMs / 1000,
    window_seconds: view.windowMs / 1000,
    zone: view.zone,
    kept_from: isoTime(view.keptFromMs),
    is_live: view.isLive,
    event_types: view.eventTypes,
    lottery_names: view.lotteryNames,
    other_lotteries: view.otherLotteries,
    bars: view.bars.map(({ startMs, endMs, events, weekAgo }) => ({
      start: isoTime(startMs),
      end: isoTime(endMs),
      events,
      week_ago: weekAgo,
    })),
    totals: view.totals,
    totals_week_ago: view.totalsWeekAgo,
    current: { window_start: isoTime(view.current.startMs), events: view.current.events },
    closed: view.closed && {
      window_start: isoTime(view.closed.startMs),
      events: view.closed.events,
      events_before: view.closed.eventsBefore,
      events_week_ago: view.closed.eventsWeekAgo,
    },
  };
}

export type StatusJson = ReturnType<typeof statusJson>;
export type ViewJson = NonNullable<ReturnType<typeof viewJson>>;
export type LotteriesJson = ReturnType<typeof lotteriesJson>;
export type LettersJson = ReturnType<typeof lettersJson>;

function systemJson({ state, sinceMs }: { readonly state: string; readonly sinceMs: number }) {
  return { state, since: isoTime(sinceMs) };
}

function partitionJson({ partition, nextOffset, committedAtMs, maxEventTimeMs }: StoredPartition) {
  return {
    partition,
    stored_offset: nextOffset,
    committed_at: isoTime(committedAtMs),
    watermark: isoTime(maxEventTimeMs),
  };
}

/** As text, as far as it is UTF-8, and as the exact bytes. */
function bytesJson(bytes: BytesPreview | null) {
  return bytes && {
    bytes: bytes.length,
    truncated: bytes.length > bytes.head.length,
    text: new TextDecoder().decode(bytes.head),
    base64: bytes.head.toBase64(),
  };
}
