import fc from "fast-check";
import assert from "node:assert/strict";
import type { DeadLetter } from "../../../lib/core/dead_letters/dead_letter.ts";
import { letterSha256 } from "../../../lib/core/dead_letters/digest.ts";
import { newSha256 } from "../../../lib/io/sha256.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { openPostgresHarness } from "./harness.ts";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
);
const timestamp = fc.oneof(
  fc.constantFrom(-(2 ** 53), -5, -1, 0, 1, 253_402_300_799_999, 253_402_300_800_000, 2 ** 63),
  fc.integer({ min: 0, max: 253_402_300_799_999 }),
);
const size = fc.option(fc.maxSafeInteger().map(Math.abs));
const letter = fc.record({
  recordTimestampMs: timestamp,
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: bytes, value: fc.option(bytes) }), { maxLength: 3 }),
  cut: fc.option(
    fc.record({
      keySize: size,
      valueSize: size,
      headersSize: fc.nat(),
      sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
    { freq: 3 },
  ),
});
const letters = fc.array(letter, { minLength: 1, maxLength: 60 }).map((letters): DeadLetter[] =>
  letters.map((letter, offset) => ({ ...letter, partition: 0, offset, reason: "not_json" }))
);

function sha256Of({ recordTimestampMs, key, value, headers, cut }: DeadLetter): string {
  return letterSha256({
    timestampMs: recordTimestampMs,
    key: () => key,
    value: () => value,
    headers: () => headers,
    cut: () => cut,
  }, newSha256).toHex();
}

serverTest(
  "the database has the hash of each letter that the program has",
  ["postgres"],
  async () => {
    const database = await createDatabase();
    const release = async () => await database[Symbol.asyncDispose]();
    await using harness = await openPostgresHarness(database.url, release);
    const { first, connection } = harness;
    await fc.assert(
      fc.asyncProperty(letters, async (deadLetters) => {
        await connection.query({ text: "truncate kafka_offsets, dead_letters" });
        await first.positions(new Map([[0, 0]]));
        await first.commit(commitOf([[0, 0, deadLetters.length]], { deadLetters }));
        const rows = await connection.query<{ computed: string; stored: string | null }>({
          text: `
            select
              encode(letter_sha256(
                record_timestamp, key, value, headers,
                key_size, value_size, headers_size, record_sha256
              ), 'hex') as computed,
              encode(content_sha256, 'hex') as stored
            from dead_letters
            order by kafka_offset`,
        });
        const expected = deadLetters.map(sha256Of);
        assert.deepEqual(rows.map(({ computed }) => computed), expected);
        assert.deepEqual(rows.map(({ stored }) => stored), expected);
      }),
      { numRuns: 60 },
    );
  },
);
