import assert from "node:assert/strict";
import {
  expandSql,
  type Frame,
  type Panel,
  query,
  type QueryContext,
  readDashboard,
  type Target,
} from "../support/grafana.ts";
import { GrafanaStand, LOTTERIES, TYPES } from "../support/grafana_stand.ts";
import { serverTest } from "../support/servers.ts";
import { AUDIT, QUIET } from "../support/watched.ts";
import { insertAudit, insertQuiet } from "../support/watched_tables.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const lotto24 = await readDashboard("lotto24");
const workers = await readDashboard("workers");
const sqlPanels = lotto24.panels.flatMap((panel) =>
  panel.targets.flatMap((target) => target.rawSql ? [{ panel, sql: target.rawSql, target }] : [])
);

const CHOICES: Readonly<Record<string, QueryContext["chosen"]>> = {
  "all": {},
  "one": { lottery: ["o'brien"], event_type: ["clicked"] },
  "several": {
    lottery: ["o'brien", 'quote"s', "rare\\one", "lötto_€"],
    event_type: ["clicked", "pay", "it's none"],
  },
};

function contextOf(
  chosen: QueryContext["chosen"],
  { hours = 1, nowMs = Date.now() } = {},
): QueryContext {
  const { list: variables } = lotto24.templating;
  return { fromMs: nowMs - hours * HOUR_MS, toMs: nowMs, chosen, variables };
}

/** What the kind of panel needs of its rows. */
function assertDrawable(panel: Panel, { format }: Target, { columns, rows }: Frame): void {
  const kinds = columns.map(({ kind }) => kind);
  switch (panel.type) {
    case "stat":
      assert.deepEqual([kinds, rows.length], [["number"], 1]);
      assert.notEqual(rows[0]![columns[0]!.name], null);
      break;
    case "bargauge":
      assert.deepEqual(kinds, ["text", "number"]);
      break;
    case "timeseries":
      assert.equal(format, "time_series");
      assert.deepEqual(columns.map(({ name }) => name), ["time", "metric", "value"]);
      assert.deepEqual(kinds, ["time", "text", "number"]);
      break;
    case "table":
      for (const { matcher } of panel.fieldConfig.overrides) {
        assert.ok(columns.some(({ name }) => name === matcher.options), matcher.options);
      }
      break;
    default:
      assert.fail(`No check for a ${panel.type}`);
  }
}

/** Buckets follow each other without a gap, for each line, and are over. */
function assertContinuous({ rows }: Frame, { fromMs, toMs }: QueryContext, stepMs: number): void {
  const lines = Map.groupBy(rows, ({ metric }) => metric);
  for (const points of lines.values()) {
    const times = points.map(({ time }) => (time as Date).getTime());
    assert.ok(times[0]! >= fromMs && times.at(-1)! + stepMs <= toMs);
    for (const [at, time] of times.entries()) assert.equal(time, times[0]! + at * stepMs);
  }
}

async function assertPanels({ readerUrl }: GrafanaStand): Promise<void> {
  // Half a second after a minute has begun: that minute is not whole any more.
  const fromMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - HOUR_MS + 500;
  for (const [choice, chosen] of Object.entries(CHOICES)) {
    for (const minutes of [1, 5]) {
      const context = { ...contextOf({ ...chosen, step: [`${minutes}m`] }), fromMs };
      for (const { panel, sql, target } of sqlPanels) {
        try {
          const frame = await query(readerUrl, expandSql(sql, context));
          // What was received a moment ago fills no whole bucket yet.
          const isOfNow = sql.includes("dead_letters") && panel.type === "timeseries";
          if (!isOfNow) assert.ok(frame.rows.length > 0, "it is empty");
          assertDrawable(panel, target, frame);
          if (panel.type === "timeseries") assertContinuous(frame, context, minutes * MINUTE_MS);
        } catch (error) {
          throw new Error(`Panel "${panel.title}" with ${choice} chosen`, { cause: error });
        }
      }
    }
  }
}

/** What the dashboard of the workers asks of PostgreSQL. */
async function assertWorkerPanels({ readerUrl }: GrafanaStand): Promise<void> {
  const asked = workers.panels.flatMap(({ title, targets, fieldConfig }) =>
    targets.flatMap(({ rawSql }) => rawSql ? [{ title, rawSql, fieldConfig }] : [])
  );
  assert.deepEqual(asked.map(({ title }) => title), [
    "Last audit",
    "Audited",
    "Rows recounted",
    "Audits",
  ]);
  for (const { title, rawSql, fieldConfig } of asked) {
    const { columns, rows } = await query(readerUrl, rawSql);
    assert.equal(rows.length, 1, title);
    for (const { matcher } of fieldConfig.overrides) {
      assert.ok(columns.some(({ name }) => name === matcher.options), matcher.options);
    }
  }
}

/** Dead letters stand by the clock, so that the whole minute after them is looked at. */
async function assertDeadLetterPanel({ readerUrl }: GrafanaStand): Promise<void> {
  const { sql } = sqlPanels.find(({ panel, sql }) =>
    panel.type === "timeseries" && sql.includes("dead_letters")
  )!;
  const later = contextOf({}, { nowMs: Date.now() + 2 * MINUTE_MS });
  const text = expandSql(sql, later).replaceAll("now()", "now() + interval '2 minutes'");
  const { rows } = await query(readerUrl, text);
  const sums = new Map<unknown, number>();
  for (const { metric, value } of rows) {
    sums.set(metric, (sums.get(metric) ?? 0) + Number(value));
  }
  assert.deepEqual(sums, new Map([["lottery_name_missing", 200], ["not_json", 200]]));
}

/** The lines add up to the rows of the minutes that they show. */
async function assertSums({ readerUrl, database }: GrafanaStand): Promise<void> {
  for (
    const title of ["Events per ${bucket:text} by type", "Events per ${bucket:text} by lottery"]
  ) {
    const { sql } = sqlPanels.find(({ panel }) => panel.title === title)!;
    for (const minutes of [1, 15]) {
      const context = contextOf({ step: [`${minutes}m`] }, { hours: 2 });
      const { rows } = await query(readerUrl, expandSql(sql, context));
      const times = rows.map(({ time }) => (time as Date).getTime());
      const drawn = rows.reduce((sum, { value }) => sum + Number(value), 0);
      const [counted] = await database.connection.query<{ events: number }>({
        text: `select sum(event_count)::bigint as events from lottery_aggregates
          where window_start >= $1 and window_start < $2`,
        values: [new Date(Math.min(...times)), new Date(Math.max(...times) + minutes * MINUTE_MS)],
      });
      assert.equal(drawn, counted!.events, title);
    }
  }
}

const NOT_BY_LOTTERY = [
  "Watermark delay",
  "Last commit",
  "Last audit",
  "Quiet lotteries",
  "Dead letters",
  "Time without events",
  "Dead letters per ${bucket:text} by reason",
  "Latest dead letters",
];

/** Panels that show all of it whatever is chosen. */
const UNFILTERED: Readonly<Record<string, readonly string[]>> = {
  lottery: NOT_BY_LOTTERY,
  event_type: [...NOT_BY_LOTTERY, "Payments per click", "Click-to-payment funnel by lottery"],
};

/** A filter that matches nothing shows nothing. */
async function assertFiltered({ readerUrl }: GrafanaStand): Promise<void> {
  for (const [variable, unfiltered] of Object.entries(UNFILTERED)) {
    const context = contextOf({ [variable]: ["never seen"] });
    for (const { panel, sql } of sqlPanels) {
      if (unfiltered.includes(panel.title)) continue;
      const { rows } = await query(readerUrl, expandSql(sql, context));
      const shown = rows.flatMap((row) => Object.values(row)).filter((value) => Number(value) > 0);
      assert.deepEqual(shown, [], `${panel.title} takes no notice of ${variable}`);
    }
  }
}

async function assertVariables({ readerUrl }: GrafanaStand): Promise<void> {
  const expected = { lottery: LOTTERIES, event_type: [...new Set(TYPES)] };
  for (const variable of lotto24.templating.list.filter(({ name }) => name in expected)) {
    const text = expandSql(variable.query as string, contextOf({}));
    const { columns, rows } = await query(readerUrl, text);
    assert.deepEqual(columns.map(({ kind }) => kind), ["text"]);
    const values = rows.map((row) => row[columns[0]!.name] as string);
    const { [variable.name as keyof typeof expected]: wanted } = expected;
    assert.deepEqual(values.toSorted(), wanted.toSorted());
  }
}

serverTest("every panel of Lotto24 gets its data from the counts of a worker", [
  "kafka",
  "postgres",
  "psql",
], async () => {
  await using stand = await GrafanaStand.open();
  const { connection } = stand.database;
  await insertAudit(connection, { ...AUDIT, atMs: Date.now(), verdict: "wrong", wrong: 1 });
  for (const lotteryName of LOTTERIES) await insertQuiet(connection, { ...QUIET, lotteryName });
  await assertPanels(stand);
  await assertWorkerPanels(stand);
  await assertDeadLetterPanel(stand);
  await assertSums(stand);
  await assertFiltered(stand);
  await assertVariables(stand);
});
