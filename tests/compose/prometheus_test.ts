import assert from "node:assert/strict";
import { join } from "node:path";
import { stringify } from "yaml";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { eventually } from "../support/eventually.ts";
import { expandPromql, query, readDashboard, readProvisioning } from "../support/grafana.ts";
import { GrafanaStand } from "../support/grafana_stand.ts";
import { run } from "../support/guarded_process.ts";
import { createDatabase } from "../support/postgres.ts";
import { Prometheus, prometheusConfig } from "../support/prometheus.ts";
import { serverTest } from "../support/servers.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { AUDIT } from "../support/watched.ts";
import { insertAudit } from "../support/watched_tables.ts";

const workers = await readDashboard("workers");
const dashboards = [await readDashboard("lotto24"), workers];
const { groups } = await readProvisioning("alerting/alerting.yaml");
const [noCommits, lagGrows, wrong, overdue, stands] = groups[0].rules;

const AUDIT_WRONG = 'lottery_audit_wrong_rows{instance="a:8000"}';
const BOOKS = 'lottery_books_difference{instance="b:8000"}';

serverTest("Prometheus takes the stack's configuration", ["promtool"], async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "prometheus.yml");
  await Deno.writeTextFile(file, await prometheusConfig());
  await run("promtool", ["check", "config", file]);
});

serverTest("every Prometheus query has data once a worker is scraped", [
  "kafka",
  "postgres",
  "psql",
  "prometheus",
  "promtool",
], async () => {
  await using stand = await GrafanaStand.open();
  await insertAudit(stand.database.connection, AUDIT);
  await using prometheus = await Prometheus.start(stand.address);
  await eventually(async () => (await prometheus.query("lottery_events_total")).length > 0);
  await stand.produce(); // rates and latencies need events between two scrapes

  const metrics = await (await fetch(`http://${stand.address}/metrics`)).text();
  await run("promtool", ["check", "metrics"], { stdin: metrics });
  const choices = [[], [stand.address], [stand.address, "10.0.0.1:8000"]];
  for (const { title, targets } of dashboards.flatMap(({ panels }) => panels)) {
    for (const expr of targets.flatMap(({ expr }) => expr ?? [])) {
      for (const promql of new Set(choices.map((workers) => expandPromql(expr, workers)))) {
        await eventually(async () => {
          const samples = await prometheus.query(promql);
          return samples.length > 0 && samples.every(({ value }) => !isNaN(value));
        }).catch((cause) => {
          throw new Error(`Panel "${title}": ${promql}`, { cause });
        });
      }
    }
  }
  assert.deepEqual(await prometheus.query(expandPromql('up{instance=~"$worker"}', ["x"])), []);
  const { query } = workers.templating.list[0]!.query as { query: string };
  const [, series, label] = query.match(/^label_values\((.*), (\w+)\)$/)!;
  assert.deepEqual(await prometheus.labelValues(label!, series!), [stand.address]);

  await eventually(async () => {
    const [up] = await prometheus.query('sum(up{job="worker"})');
    return up?.value === 1; // 0 where a scrape took too long
  });

  await eventually(async () => {
    const [audited] = await prometheus.query("lottery_audit_timestamp_seconds");
    return audited?.value === AUDIT.atMs / 1000;
  });
  for (const { data: [{ model, datasourceUid }] } of [lagGrows, wrong, stands]) {
    assert.equal(datasourceUid, "lottery-prometheus");
    await prometheus.query(model.expr);
  }
  const [found] = await prometheus.query(wrong.data[0].model.expr);
  assert.equal(found!.value, 0);
});

/** Whether the value is beyond the rule's threshold. */
function isFiring({ condition, data }: typeof noCommits, value: number): boolean {
  const { model } = data.find(({ refId }: { refId: string }) => refId === condition);
  const [{ evaluator }] = model.conditions;
  assert.equal(evaluator.type, "gt");
  return value > evaluator.params[0];
}

serverTest("the alert for missing commits is quiet while a worker runs, and fires when none has", [
  "kafka",
  "postgres",
  "psql",
], async () => {
  await using stand = await GrafanaStand.open();
  const { rawSql } = noCommits.data[0].model;
  const age = async () => {
    const { columns, rows } = await query(stand.readerUrl, rawSql);
    assert.deepEqual(columns.map(({ kind }) => kind), ["number"]);
    assert.equal(rows.length, 1);
    return rows[0]!.seconds as number;
  };
  assert.equal(isFiring(noCommits, await age()), false);

  // It stands still, but it works: it goes on saying that it has read everything.
  const change = (text: string) => stand.database.connection.query({ text });
  await change("update kafka_offsets set updated_at = updated_at - interval '6 minutes'");
  assert.equal(isFiring(noCommits, await age()), false);

  stand.worker.signal("SIGKILL");
  await stand.worker.exitCode();
  await change("update kafka_offsets set caught_up_at = now() - interval '4 minutes'");
  assert.equal(isFiring(noCommits, await age()), false);
  await change("update kafka_offsets set caught_up_at = now() - interval '6 minutes'");
  assert.equal(isFiring(noCommits, await age()), true);

  // No worker has come yet: the server's own age counts.
  await change("delete from kafka_offsets");
  assert.ok(await age() > 0);
});

interface RuleCase {
  readonly name: string;
  /** Values each minute, as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  readonly isFiring: boolean;
}

/** Lets Prometheus judge after 35 minutes, as Grafana would. */
async function checkRule(rule: typeof lagGrows, cases: readonly RuleCase[]): Promise<void> {
  await using directory = await temporaryDirectory();
  const { model } = rule.data[0];
  const { evaluator } = rule.data[1].model.conditions[0];
  assert.equal(evaluator.type, "gt");
  const alert = {
    alert: rule.uid,
    expr: `(${model.expr}) > ${evaluator.params[0]}`,
    for: rule.for,
  };
  await Deno.writeTextFile(
    join(directory.path, "rules.yml"),
    stringify({ groups: [{ name: "rule", interval: groups[0].interval, rules: [alert] }] }),
  );
  await Deno.writeTextFile(
    join(directory.path, "tests.yml"),
    stringify({
      rule_files: ["rules.yml"],
      evaluation_interval: "1m",
      tests: cases.map(({ name, series, isFiring }) => ({
        name,
        interval: "1m",
        input_series: Object.entries(series).map(([series, values]) => ({ series, values })),
        alert_rule_test: [{
          eval_time: "35m",
          alertname: rule.uid,
          exp_alerts: isFiring ? [{}] : [],
        }],
      })),
    }),
  );
  await run("promtool", ["test", "rules", join(directory.path, "tests.yml")]);
}

/** What the lag is each minute, and whether the operators are to be mailed at the end of it. */
const LAGS: Readonly<Record<string, { readonly series: string; readonly isMailed: boolean }>> = {
  "grows": { series: "0+500x40", isMailed: true },
  "grows, below what two workers would make of it": { series: "0+19x40", isMailed: false },
  "has grown for less than ten minutes": { series: "0x27 5000+5000x10", isMailed: false },
  "is high but falls": { series: "400000-500x40", isMailed: false },
  "stands": { series: "50000x40", isMailed: false },
  "is only the noise of new arrivals": { series: "0+20x40", isMailed: false },
  "jumps and is caught up": { series: "0x20 90000-9000x9 0x10", isMailed: false },
};

serverTest(
  "the alert for a growing lag tells growth from backlog and noise",
  ["promtool"],
  async () => {
    const labels = (partition: number, worker: string) =>
      `lottery_consumer_lag{topic="user-events",partition="${partition}",instance="${worker}:8000"}`;
    await checkRule(
      lagGrows,
      Object.entries(LAGS).map(([name, { series, isMailed }]) => ({
        name,
        // Both workers tell of both partitions, whichever has them.
        series: Object.fromEntries(
          ["a", "b"].flatMap((
            worker,
          ) => [[labels(0, worker), series], [labels(1, worker), "10x40"]]),
        ),
        isFiring: isMailed,
      })),
    );
  },
);

/** Gauges of two workers each minute, and whether the alert fires at the end of it. */
const WRONG: Readonly<Record<string, Omit<RuleCase, "name">>> = {
  "nobody audits, and the books are not known": { series: { up: "1x40" }, isFiring: false },
  "all agrees": { series: { [AUDIT_WRONG]: "0x40", [BOOKS]: "0x40" }, isFiring: false },
  "a row is wrong, in the eyes of an auditor": {
    series: { [AUDIT_WRONG]: "0x30 1x9" },
    isFiring: true,
  },
  "it was, and is right again": { series: { [AUDIT_WRONG]: "1x30 0x9" }, isFiring: false },
  "the hours have too many events": {
    series: { [AUDIT_WRONG]: "0x40", [BOOKS]: "0x30 -7x9" },
    isFiring: true,
  },
  "the hours lack events, and nobody audits": { series: { [BOOKS]: "0x30 7x9" }, isFiring: true },
};

serverTest("the alert for wrong tables hears of the audit and of the books", [
  "promtool",
], async () => {
  await checkRule(wrong, Object.entries(WRONG).map(([name, each]) => ({ name, ...each })));
});

const WATERMARKS: Readonly<Record<string, readonly [series: string, isFiring: boolean]>> = {
  "is not known": ["_x40", false],
  "follows the clock": ["1000+60x40", false],
  "is far behind, and catches up": ["0+600x40", false],
  "moves by an event every nine minutes": ["0x8 60x8 120x8 180x8 240x8", false],
  "stands still for eight minutes": ["1000+60x27 2620x12", false],
  "stands still for a quarter of an hour": ["1000+60x20 2200x20", true],
  "has begun a few minutes ago, and stands": ["_x30 1000x9", false],
  "was set back by a reset, and moves": ["90000x20 0+60x19", false],
};

serverTest("the alert for event time tells standing still from being behind", [
  "promtool",
], async () => {
  await checkRule(
    stands,
    Object.entries(WATERMARKS).map(([name, [series, isFiring]]) => ({
      name,
      series: { 'lottery_watermark_seconds{instance="a:8000"}': series },
      isFiring,
    })),
  );
});

serverTest("the alert for a missing audit waits for two rounds, and for the first one", [
  "postgres",
], async () => {
  await using database = await createDatabase();
  const { connection } = database;
  await migrate(connection);
  const fires = async () => {
    const { rows } = await query(database.url, overdue.data[0].model.rawSql);
    assert.equal(rows.length, 1);
    return isFiring(overdue, rows[0]!.seconds as number);
  };
  assert.equal(await fires(), false, "nobody audits");
  const dueMs = Date.now() - 2 * AUDIT.roundMs - AUDIT.seconds * 1_000;
  await insertAudit(connection, { ...AUDIT, atMs: dueMs - 60_000 });
  assert.equal(await fires(), true);
  await insertAudit(connection, { ...AUDIT, atMs: dueMs + 60_000 });
  assert.equal(await fires(), false);
});
