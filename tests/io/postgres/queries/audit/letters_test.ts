import assert from "node:assert/strict";
import { changedLetters } from "../../../../../lib/io/postgres/queries/audit/letters.ts";
import { createDatabase } from "../../../../support/postgres.ts";
import { serverTest } from "../../../../support/servers.ts";
import { openPostgresHarness } from "../../harness.ts";

serverTest(
  "changedLetters() names the changed ones of a partition before an offset, in steps of any size",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection } = harness;
    await connection.query({
      text: `
        insert into dead_letters (topic, partition, kafka_offset, reason, value, headers)
        select 'events', partition, n, 'not_json', 'a', '[]'
        from generate_series(0, 1) as partition, generate_series(0, 19) as n;
        update dead_letters
        set content_sha256 = letter_sha256(
          record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
        );
        update dead_letters set value = 'b'
        where (partition, kafka_offset) in ((0, 2), (0, 3), (0, 8), (1, 9), (0, 10), (0, 16))`,
    });
    const of = { topic: "events", partition: 0 };
    for (const stepLetters of [1, 3, 5, 100]) {
      const changed = await changedLetters(connection, { ...of, before: 16, stepLetters });
      assert.deepEqual(
        changed,
        [2, 3, 8, 10].map((offset) => ({
          ...{ partition: 0, offset },
          stored: "not_json, content changed",
          recounted: "not_json, as received",
        })),
      );
    }
    assert.deepEqual(await changedLetters(connection, { ...of, before: 0 }), []);
    assert.deepEqual(await changedLetters(connection, { ...of, partition: 7, before: 9 }), []);
  },
);
