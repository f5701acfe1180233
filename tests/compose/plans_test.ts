/** How PostgreSQL goes about what Lotto24 asks: by keys, however much there is. */

import assert from "node:assert/strict";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import {
  expandSql,
  type QueryContext,
  readDashboard,
  readProvisioning,
} from "../support/grafana.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 0, 31, 12);
const MINUTES_DAYS = 3;
const HOURS_DAYS = 90;

const lotto24 = await readDashboard("lotto24");
const workers = await readDashboard("workers");
const { groups } = await readProvisioning("alerting/alerting.yaml");

/** Counts of 60 pairs of lottery and event type, as if they had come from a busy topic. */
async function fill(connection: Connection): Promise<void> {
  const PAIRS = `(
    select 'lottery ' || l as lottery_name, 'type ' || t as event_type
    from generate_series(1, 12) as l cross join generate_series(1, 5) as t
  ) as pairs`;
  const series = (days: number, step: string) =>
    `generate_series($1::timestamptz - interval '${days} days', $1, interval '${step}') as at`;
  const values = [new Date(NOW_MS)];
  await connection.query({
    text: `insert into pipeline (
        cluster_id, topic, group_id, window_seconds, max_future_seconds, event_rules, watermark
      ) values ('cluster', 'user-events', 'group', 60, 300, 1, $1)`,
    values,
  });
  await connection.query({
    text: `insert into lottery_aggregates (
        window_start, window_end, lottery_name, event_type, event_count
      )
      select at, at + interval '1 minute', lottery_name, event_type, 7
      from ${series(MINUTES_DAYS, "1 minute")} cross join ${PAIRS}`,
    values,
  });
  await connection.query({
    text: `insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
      select at, lottery_name, event_type, 420
      from ${series(HOURS_DAYS, "1 hour")} cross join ${PAIRS}`,
    values,
  });
  await connection.query({
    text: `insert into dead_letters (topic, partition, kafka_offset, reason, headers, received_at)
      select 'user-events', 0, at, 'not_json', '{}',
        $1::timestamptz - at * interval '${HOURS_DAYS} days' / 100000
      from generate_series(1, 100000) as at`,
    values,
  });
  await connection.query({ text: "analyze" });
}

/** What the dashboards and the alerts ask. */
const QUERIES: readonly { readonly name: string; readonly sql: string }[] = [
  ...lotto24.templating.list.filter(({ type }) => type === "query").map(({ name, query }) => ({
    name: `variable ${name}`,
    sql: query as string,
  })),
  ...[...lotto24.panels, ...workers.panels].flatMap(({ title, targets }) =>
    targets.flatMap(({ refId, rawSql }) =>
      rawSql ? [{ name: `${title} ${refId}`, sql: rawSql }] : []
    )
  ),
  // deno-lint-ignore no-explicit-any
  ...groups[0].rules.flatMap(({ title, data }: any) =>
    // deno-lint-ignore no-explicit-any
    data.flatMap(({ model }: any) => model.rawSql ? [{ name: title, sql: model.rawSql }] : [])
  ),
];

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Function Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

const CHOICES: Readonly<Record<string, QueryContext["chosen"]>> = {
  "all": {},
  "one lottery": { lottery: ["lottery 3"] },
  "one of each": { lottery: ["lottery 3"], event_type: ["type 1"] },
};

/** In hours: a short one, the default, and the longest that each step is taken for. */
const RANGES = [1, 6, 36, 72, 31 * 24, HOURS_DAYS * 24];

serverTest("no query of the dashboards, their variables or the alerts scans the counts", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  await fill(connection);
  for (const [choice, chosen] of Object.entries(CHOICES)) {
    for (const hours of RANGES) {
      const context = {
        fromMs: NOW_MS - hours * HOUR_MS,
        toMs: NOW_MS,
        chosen,
        variables: lotto24.templating.list,
      };
      for (const { name, sql } of QUERIES) {
        const [row] = await connection.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>({
          text: `explain (format json) ${expandSql(sql, context)}`,
        });
        const nodes = [...nodesOf(row!["QUERY PLAN"][0].Plan)];
        const scanned = nodes.filter((node) => node["Node Type"] === "Seq Scan")
          .map((node) => node["Relation Name"]!);
        const what = `${name}, ${choice}, ${hours} hours`;
        assert.ok(!scanned.includes("lottery_aggregates"), `${what}: lottery_aggregates`);
        // Of all hours that there are, a scan is the fastest way.
        if (hours < HOURS_DAYS * 24) {
          assert.deepEqual(scanned.filter((name) => name === "lottery_hours"), [], what);
        }
        // As a function of its own it would not be given the names that are chosen.
        const called = nodes.map((node) => node["Function Name"]);
        assert.ok(!called.includes("lottery_totals") && !called.includes("lottery_counts"), what);
      }
    }
  }
});
