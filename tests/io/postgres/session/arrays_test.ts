import fc from "fast-check";
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import {
  bigints,
  booleans,
  byteas,
  integers,
  jsonbs,
  texts,
} from "../../../../lib/io/postgres/session/arrays.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { serverTest } from "../../../support/servers.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const json = fc.json().filter((text) => !text.includes("\\u0000"));

/** What PostgreSQL makes of each kind of array, as JSON. */
const KINDS: readonly {
  readonly type: string;
  readonly values: fc.Arbitrary<readonly unknown[]>;
  readonly array: (values: readonly never[]) => Buffer;
}[] = [
  { type: "boolean", values: fc.array(fc.boolean()), array: booleans },
  { type: "integer", values: fc.array(fc.option(fc.integer())), array: integers },
  {
    type: "bigint",
    values: fc.array(fc.option(fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(0, -1, MAX, -MAX, 2 ** 32, 2 ** 32 - 1, -(2 ** 32)),
    ))),
    array: bigints,
  },
  {
    type: "text",
    values: fc.array(fc.oneof(
      fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
      fc.constantFrom("", "null", "NULL", '"', "\\", "{a,b}", "lötto_€", "🎰"),
    )),
    array: texts,
  },
];

for (const { type, values, array } of KINDS) {
  serverTest(`PostgreSQL reads each array of ${type} as it was`, ["postgres"], async () => {
    await using database = await createDatabase();
    await fc.assert(
      fc.asyncProperty(values, async (values) => {
        const [row] = await database.connection.query<{ stored: unknown }>({
          text: `select to_json($1::${type}[]) as stored`,
          values: [array(values as never[])],
        });
        assert.deepEqual(row!.stored, values);
      }),
    );
  });
}

serverTest("PostgreSQL reads each array of jsonb as it was", ["postgres"], async () => {
  await using database = await createDatabase();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(json)), async (values) => {
      const [row] = await database.connection.query<{ same: boolean }>({
        text: "select $1::jsonb[] = $2::text[]::jsonb[] as same",
        values: [jsonbs(values), values],
      });
      assert.equal(row!.same, true);
    }),
  );
});

serverTest("PostgreSQL reads each array of bytea as it was", ["postgres"], async () => {
  await using database = await createDatabase();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.uint8Array({ maxLength: 40 }))), async (values) => {
      const rows = await database.connection.query<{ bytes: Uint8Array | null }>({
        text: "select unnest($1::bytea[]) as bytes",
        values: [byteas(values)],
      });
      assert.deepEqual(rows.map(({ bytes }) => bytes && new Uint8Array(bytes)), values);
    }),
  );
});
