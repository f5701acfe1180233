import assert from "node:assert/strict";
import { join } from "node:path";
import { stringify } from "yaml";
import { eventually } from "../support/eventually.ts";
import { expandPromql, query, readDashboard, readProvisioning } from "../support/grafana.ts";
import { GrafanaStand } from "../support/grafana_stand.ts";
import { run } from "../support/guarded_process.ts";
import { Prometheus, prometheusConfig } from "../support/prometheus.ts";
import { serverTest } from "../support/servers.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const workers = await readDashboard("workers");
const dashboards = [await readDashboard("lotto24"), workers];
const { groups } = await readProvisioning("alerting/alerting.yaml");
const [noCommits, lagGrows] = groups[0].rules;

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

  const { model, datasourceUid } = lagGrows.data[0];
  assert.equal(datasourceUid, "lottery-prometheus");
  await prometheus.query(model.expr);
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
    await using directory = await temporaryDirectory();
    const { model } = lagGrows.data[0];
    const threshold = lagGrows.data[1].model.conditions[0].evaluator;
    assert.equal(threshold.type, "gt");
    const rule = {
      alert: "LagGrows",
      expr: `(${model.expr}) > ${threshold.params[0]}`,
      for: lagGrows.for,
    };
    await Deno.writeTextFile(
      join(directory.path, "rules.yml"),
      stringify({ groups: [{ name: "lag", interval: groups[0].interval, rules: [rule] }] }),
    );
    const labels = (partition: number, worker: string) =>
      `lottery_consumer_lag{topic="user-events",partition="${partition}",instance="${worker}:8000"}`;
    await Deno.writeTextFile(
      join(directory.path, "tests.yml"),
      stringify({
        rule_files: ["rules.yml"],
        evaluation_interval: "1m",
        tests: Object.entries(LAGS).map(([name, { series, isMailed }]) => ({
          name,
          interval: "1m",
          // Both workers tell of both partitions, whichever has them.
          input_series: ["a", "b"].flatMap((worker) => [
            { series: labels(0, worker), values: series },
            { series: labels(1, worker), values: "10x40" },
          ]),
          alert_rule_test: [{
            eval_time: "35m",
            alertname: "LagGrows",
            exp_alerts: isMailed ? [{}] : [],
          }],
        })),
      }),
    );
    await run("promtool", ["test", "rules", join(directory.path, "tests.yml")]);
  },
);
