/**
 * `dead-letters list`: the newest dead letters, one per line.
 * @module
 */

import type { Config } from "../../core/settings/config.ts";
import { printable, printableBytes, printableJson } from "../../core/text/printable.ts";
import { isoTime } from "../../core/text/time.ts";
import {
  type DeadLetterFilter,
  DeadLetterStore,
  type RecordPosition,
  type StoredDeadLetter,
} from "../../io/postgres/dead_letters.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";

export interface ListOptions {
  /** Whose letters: the topic of the settings, or the name of an abandoned log. */
  readonly topic: string;
  readonly filter: DeadLetterFilter;
  readonly limit: number;
  readonly asJson: boolean;
  readonly print: (line: string) => void;
}

/** How many letters are in memory at once: each may be as large as Kafka allows. */
const PAGE = 50;
const PREVIEW_BYTES = 200;
const PREVIEW_LENGTH = 60;

export async function listDeadLetters(
  { databaseUrl }: Config,
  { topic, filter, limit, asJson, print }: ListOptions,
): Promise<void> {
  await using connection = new Connection(databaseUrl);
  await assertUpToDate(connection);
  const store = new DeadLetterStore(connection, topic);
  const found = await store.find(filter, limit + 1);
  const positions = found.slice(0, limit);
  if (!asJson && positions.length > 0) print(HEADER);
  for await (const letter of readAll(store, positions)) {
    print(asJson ? toJson(letter) : toLine(letter));
  }
  if (asJson) return;
  if (positions.length === 0) print("No dead letters.");
  if (found.length > limit) {
    print(`Only the newest ${limit} are shown: use a filter or a higher --limit to see more.`);
  }
}

/** The letters at these positions, read page by page. */
export async function* readAll(
  store: DeadLetterStore,
  positions: readonly RecordPosition[],
): AsyncGenerator<StoredDeadLetter> {
  for (let start = 0; start < positions.length; start += PAGE) {
    yield* await store.read(positions.slice(start, start + PAGE));
  }
}

/** `3/1042`, as the commands name a dead letter. */
export function positionText({ partition, offset }: RecordPosition): string {
  return `${partition}/${offset}`;
}

/** A time of a letter in UTC, or a dash if it is not one. */
export function letterTime(timeMs: number): string {
  return timeMs < 0 ? "-" : isoTime(timeMs);
}

const HEADER = columns("POSITION", "REASON", "RECEIVED", "RECORD TIME", "VALUE");

function toLine(letter: StoredDeadLetter): string {
  return columns(
    positionText(letter),
    printable(letter.reason),
    letterTime(letter.receivedMs),
    letterTime(letter.recordTimestampMs),
    preview(letter.value, letter.cut?.valueSize ?? undefined),
  );
}

function columns(position: string, reason: string, ...rest: readonly string[]): string {
  const [received = "", recorded = "", value = ""] = rest;
  return [position.padEnd(14), reason.padEnd(24), received.padEnd(24), recorded.padEnd(24), value]
    .join("  ").trimEnd();
}

function preview(value: Uint8Array | null, size = value?.length): string {
  if (value === null) return "null";
  const text = printableBytes(wholeCharacters(value.subarray(0, PREVIEW_BYTES)));
  return value.length > PREVIEW_BYTES || text.length > PREVIEW_LENGTH
    ? `${text.slice(0, PREVIEW_LENGTH)}… (${size} bytes)`
    : text;
}

/** Without a UTF-8 character that is cut at the end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex((byte) => byte < 0x80 || byte >= 0xc0);
  const isCut = last >= 0 && bytes[last]! >= 0xc0 && bytes.length === PREVIEW_BYTES;
  return isCut ? bytes.subarray(0, last) : bytes;
}

function toJson(letter: StoredDeadLetter): string {
  const { partition, offset, reason, recordTimestampMs, receivedMs, key, value, replay } = letter;
  const { cut, isIntact } = letter;
  return printableJson({
    partition,
    offset,
    reason,
    received_at: letterTime(receivedMs),
    record_timestamp: recordTimestampMs < 0 ? null : letterTime(recordTimestampMs),
    key_base64: base64(key),
    value_base64: base64(value),
    headers: letter.headers.map((header) => ({
      key_base64: base64(header.key),
      value_base64: base64(header.value),
    })),
    cut: cut && {
      key_size: cut.keySize,
      value_size: cut.valueSize,
      headers_size: cut.headersSize,
      sha256: cut.sha256.toHex(),
    },
    intact: isIntact,
    replayed_at: replay && letterTime(replay.replayedMs),
    replayed_value_base64: base64(replay?.value ?? null),
  });
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes && bytes.toBase64();
}
