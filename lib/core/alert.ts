/**
 * Mails to operators: an alert, the worker that it concerns, and the mail composed of both.
 * @module
 */

import { causes } from "./failure.ts";
import { plural } from "./text/numbers.ts";

export type AlertCause =
  | "stopped"
  | "kafka_away"
  | "postgres_away"
  | "dead_letters"
  | "records_lost"
  | "worker_died"
  | "not_published"
  | "uncounted_partitions"
  | "books_wrong"
  | "audit_wrong"
  | "lottery_quiet"
  | "event_time_stands_still"
  | "by_hand";

export interface Alert {
  readonly cause: AlertCause;
  /** The problem, in a few words. */
  readonly title: string;
  readonly error?: unknown;
  /** When it began, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What the worker does now. */
  readonly doing: string;
  /** What the reader should do. */
  readonly advice: string;
}

export interface AlertContext {
  readonly host: string;
  readonly groupId: string;
  readonly topic: string;
  readonly brokers: readonly string[];
  readonly database: string;
  /** Null if who mails counts none. */
  readonly partitions: readonly PartitionLag[] | null;
  /** Milliseconds since the epoch, or null if there was none. */
  readonly lastCommitMs: number | null;
}

export interface PartitionLag {
  readonly partition: number;
  readonly nextOffset: number;
  /** Records up to the end of the log, or null if it is not known. */
  readonly lag: number | null;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Longest subject: more is cut by mail programs anyway. */
const MAX_SUBJECT_LENGTH = 200;
/** Further partitions are only counted. */
const MAX_PARTITIONS_LISTED = 20;

/**
 * Mails about the same cause are sent once per interval, by whichever worker. Each error that stops
 * a worker is a separate cause, so that a different error is not taken for a repeat; numbers such as
 * offsets do not make it different.
 */
export function mailCause({ cause, error }: Pick<Alert, "cause" | "error">): string {
  const [first] = causes(error);
  return cause === "stopped" && first
    ? `${cause}: ${first.message.replaceAll(/\d+/g, "#").slice(0, MAX_SUBJECT_LENGTH)}`
    : cause;
}

/** The mail about an alert. @param repeats how often the cause recurred since the last mail about it. */
export function composeMail(
  alert: Alert,
  context: AlertContext,
  { nowMs, repeats }: { readonly nowMs: number; readonly repeats: number },
): Mail {
  const [first] = causes(alert.error);
  const summary = first ? `${alert.title}: ${first.message}` : alert.title;
  const subject = oneLine(`[${context.groupId}] ${context.topic}: ${summary}`);
  const sections = sectionsOf(alert, context, { nowMs, repeats });
  return {
    subject: subject.length > MAX_SUBJECT_LENGTH
      ? `${subject.slice(0, MAX_SUBJECT_LENGTH - 1)}…`
      : subject,
    text: [alert.title, ...sections.map(([name, lines]) => `${name}\n${indent(lines)}`)]
      .join("\n\n") + "\n",
    html: `<!doctype html><html><body style="font-family:sans-serif"><h2>${
      escapeHtml(alert.title)
    }</h2>${sections.map(sectionHtml).join("")}</body></html>`,
  };
}

type Section = readonly [name: string, lines: readonly string[]];

function sectionsOf(
  { error, sinceMs, doing, advice }: Alert,
  context: AlertContext,
  { nowMs, repeats }: { readonly nowMs: number; readonly repeats: number },
): Section[] {
  const { host, groupId, topic, brokers, database, partitions, lastCommitMs } = context;
  const errors = causes(error).map(({ name, message }) =>
    name === "Error" || name === "OperatorError" ? message : `${name}: ${message}`
  );
  const repeated: Section[] = repeats === 0
    ? []
    : [["Repeated", [`${plural(repeats, "time")} since the last mail`]]];
  return [
    ...errors.length === 0 ? [] : [["Error", errors] satisfies Section],
    ["What to do", [advice]],
    ["What the worker is doing", [doing]],
    ["Since", [ago(sinceMs, nowMs)]],
    ...repeated,
    ["Worker", [`host ${host}, group ${groupId}, topic ${topic}`]],
    ["Kafka", [brokers.join(", ")]],
    ["PostgreSQL", [database]],
    ...partitions === null ? [] : [
      ["Last commit", [lastCommitMs === null ? "none since the start" : ago(lastCommitMs, nowMs)]],
      ["Partitions", partitionLines(partitions)],
    ] satisfies Section[],
  ];
}

function partitionLines(partitions: readonly PartitionLag[]): string[] {
  if (partitions.length === 0) return ["none"];
  const lines = partitions.slice(0, MAX_PARTITIONS_LISTED).map(({ partition, nextOffset, lag }) =>
    `${partition}: next offset ${nextOffset}, lag ${lag ?? "unknown"}`
  );
  const rest = partitions.length - lines.length;
  return rest === 0 ? lines : [...lines, `and ${rest} more`];
}

function ago(timeMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000));
  const age = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return `${new Date(timeMs).toISOString()} (${age} ago)`;
}

/** A subject must not start another header line. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f\u2028\u2029]+/g, " ").trim();
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}`).join("\n");
}

function sectionHtml([name, lines]: Section): string {
  return `<h4 style="margin-bottom:0">${escapeHtml(name)}</h4><div style="white-space:pre-wrap">${
    lines.map(escapeHtml).join("\n")
  }</div>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
