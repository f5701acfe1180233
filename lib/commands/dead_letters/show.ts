/**
 * `dead-letters show`: everything that is stored of one dead letter.
 * @module
 */

import { OperatorError } from "../../core/failure.ts";
import type { Config } from "../../core/settings/config.ts";
import { plural } from "../../core/text/numbers.ts";
import { hexDump, printable, printableBytes } from "../../core/text/printable.ts";
import {
  DeadLetterStore,
  type RecordPosition,
  type StoredDeadLetter,
} from "../../io/postgres/dead_letters.ts";
import { assertUpToDate } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { letterTime, positionText } from "./list.ts";

export interface ShowOptions {
  /** Whose letters: the topic of the settings, or the name of an abandoned log. */
  readonly topic: string;
  readonly position: RecordPosition;
  readonly isWhole: boolean;
  readonly print: (line: string) => void;
}

/** Bytes of a key or value that are shown unless all are asked for. */
const SHOWN_BYTES = 2_048;

/** @throws {OperatorError} without a dead letter at the position. */
export async function showDeadLetter(
  { databaseUrl }: Config,
  { topic, position, isWhole, print }: ShowOptions,
): Promise<void> {
  await using connection = new Connection(databaseUrl);
  await assertUpToDate(connection);
  const [letter] = await new DeadLetterStore(connection, topic).read([position]);
  if (!letter) {
    throw new OperatorError(
      `No dead letter at ${positionText(position)} of ${topic}. ` +
        "`dead-letters list` shows those that exist",
    );
  }
  for (const line of describeLetter(letter, topic, isWhole ? Infinity : SHOWN_BYTES)) {
    print(line);
  }
}

function* describeLetter(
  letter: StoredDeadLetter,
  topic: string,
  mostBytes: number,
): Generator<string> {
  const { reason, recordTimestampMs, receivedMs, headers, replay, cut, isIntact } = letter;
  yield `Position     ${topic} ${positionText(letter)}`;
  yield `Reason       ${printable(reason)}`;
  yield `Record time  ${letterTime(recordTimestampMs)}`;
  yield `Received     ${letterTime(receivedMs)}`;
  yield `Replayed     ${replay ? letterTime(replay.replayedMs) : "no"}`;
  if (!isIntact) yield "Content      CHANGED after it was received; it cannot be replayed";
  if (cut) {
    yield `Too large    only part of it is kept; SHA-256 of the record ${cut.sha256.toHex()}`;
    const kept = plural(headers.length, "header");
    yield `Headers      ${cut.headersSize} bytes (${kept} kept)`;
  }
  for (const { key, value } of headers) {
    yield `Header       ${printableBytes(key)}: ${value ? printableBytes(value) : "null"}`;
  }
  yield* section("Key", letter.key, { mostBytes, size: cut?.keySize });
  yield* section("Value", letter.value, { mostBytes, size: cut?.valueSize });
  if (replay) yield* section("Replayed as", replay.value, { mostBytes });
}

function* section(
  name: string,
  bytes: Uint8Array | null,
  { mostBytes, size = bytes?.length }: {
    readonly mostBytes: number;
    /** Bytes that the record had, if not all of them are kept. */
    readonly size?: number | null | undefined;
  },
): Generator<string> {
  yield "";
  if (bytes === null) {
    yield `${name}: null`;
    return;
  }
  const shown = bytes.subarray(0, mostBytes);
  yield size === bytes.length
    ? `${name}: ${bytes.length} bytes`
    : `${name}: ${size} bytes (first ${bytes.length} kept)`;
  if (bytes.length === 0) return;
  yield `  ${printableBytes(shown)}`;
  for (const line of hexDump(shown)) yield `  ${line}`;
  if (shown.length < bytes.length) {
    yield `  … and ${bytes.length - shown.length} more bytes: use --whole to show all`;
  }
}
