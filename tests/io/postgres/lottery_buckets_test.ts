import assert from "node:assert/strict";
import type { Connection } from "../../../lib/io/postgres/session/connection.ts";
import { createDatabase } from "../../support/postgres.ts";
import { serverTest } from "../../support/servers.ts";
import { openPostgresHarness } from "./harness.ts";

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly step: string;
  readonly zone?: string;
}

/** Starts of the buckets, and the end of the last one; each begins where the one before ends. */
async function bounds(connection: Connection, { from, to, step, zone = "UTC" }: Asked) {
  const rows = await connection.query<{ bucket_start: Date; bucket_end: Date }>({
    text: "select * from lottery_buckets($1, $2, $3, $4) order by bucket_start",
    values: [from, to, step, zone],
  });
  for (const [at, { bucket_end }] of rows.slice(0, -1).entries()) {
    assert.deepEqual(rows[at + 1]!.bucket_start, bucket_end, "no gap, no overlap");
  }
  return [
    ...rows.map(({ bucket_start }) => bucket_start),
    ...rows.slice(-1).map((row) => row.bucket_end),
  ].map((time) => time.toISOString().replace(":00.000Z", "Z"));
}

const CASES: readonly (Asked & { readonly what: string; readonly bounds: readonly string[] })[] = [
  {
    what: "minutes that start in the range",
    ...{ from: "2026-01-31T11:59:30Z", to: "2026-01-31T12:01:30Z", step: "1 minute" },
    bounds: ["2026-01-31T12:00Z", "2026-01-31T12:01Z", "2026-01-31T12:02Z"],
  },
  {
    what: "steps below a day from midnight of UTC, whatever the zone",
    ...{ from: "2026-01-31T01:00Z", to: "2026-01-31T12:00Z", step: "6 hours" },
    zone: "Asia/Kolkata",
    bounds: ["2026-01-31T06:00Z", "2026-01-31T12:00Z"],
  },
  {
    what: "a day of 25 hours",
    ...{ from: "2026-10-24T22:00Z", to: "2026-10-26T22:00Z", step: "1 day" },
    zone: "Europe/Berlin",
    bounds: ["2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"],
  },
  {
    what: "a day of 23 hours",
    ...{ from: "2026-03-28T23:00Z", to: "2026-03-29T22:00Z", step: "1 day" },
    zone: "Europe/Berlin",
    bounds: ["2026-03-28T23:00Z", "2026-03-29T22:00Z"],
  },
  {
    what: "a day after a midnight that comes twice, from between the two",
    ...{ from: "2026-11-01T04:30Z", to: "2026-11-02T05:00Z", step: "1 day" },
    zone: "America/Havana",
    bounds: ["2026-11-01T05:00Z", "2026-11-02T05:00Z"],
  },
  {
    what: "a day whose midnight does not exist",
    ...{ from: "2026-03-08T00:00Z", to: "2026-03-09T00:00Z", step: "1 day" },
    zone: "America/Havana",
    bounds: ["2026-03-08T05:00Z", "2026-03-09T04:00Z"],
  },
  {
    what: "no day that the zone has left out",
    ...{ from: "2011-12-29T10:00Z", to: "2011-12-31T10:00Z", step: "1 day" },
    zone: "Pacific/Apia",
    bounds: ["2011-12-29T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"],
  },
  {
    what: "weeks from Monday",
    ...{ from: "2026-11-20T00:00Z", to: "2026-12-01T00:00Z", step: "7 days" },
    zone: "Asia/Kolkata",
    bounds: ["2026-11-22T18:30Z", "2026-11-29T18:30Z", "2026-12-06T18:30Z"],
  },
  {
    what: "windows where the step is shorter",
    ...{ from: "2026-01-31T12:00Z", to: "2026-01-31T12:01Z", step: "1 second" },
    bounds: ["2026-01-31T12:00Z", "2026-01-31T12:01Z"],
  },
  {
    what: "nothing in an empty range",
    ...{ from: "2026-01-31T12:00Z", to: "2026-01-31T12:00Z", step: "1 hour" },
    bounds: [],
  },
];

serverTest("lottery_buckets() gives whole buckets without gaps", ["postgres"], async () => {
  await using database = await createDatabase();
  await using harness = await openPostgresHarness(
    database.url,
    async () => await database[Symbol.asyncDispose](),
  );
  for (const { what, bounds: expected, ...asked } of CASES) {
    assert.deepEqual(await bounds(harness.connection, asked), expected, what);
  }
});
