import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { readCompose, ROOT } from "../support/compose.ts";
import {
  type Dashboard,
  type Panel,
  readDashboard,
  readProvisioning,
  type Target,
} from "../support/grafana.ts";
import { run } from "../support/guarded_process.ts";
import { prometheusConfig } from "../support/prometheus.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";

const lotto24 = await readDashboard("lotto24");
const workers = await readDashboard("workers");
const compose = await readCompose();
const datasources = await readProvisioning("datasources/datasources.yaml");

/** Where Grafana's schema package has the types of each kind of panel. */
const PANEL_TYPES: Readonly<Record<string, string>> = {
  bargauge: "BarGauge",
  stat: "Stat",
  table: "Table",
  timeseries: "TimeSeries",
};

/** Enumerations of the schema are plain text in JSON. */
const PLAIN = `
type Plain<T> = T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> }
  : T;
`;

function typed({ panels, ...rest }: Dashboard): string {
  const literal = (value: unknown) => JSON.stringify(value);
  const imports = Object.entries(PANEL_TYPES).map(([type, name]) =>
    `import type * as ${type} from ` +
    `"@grafana/schema/dist/esm/raw/composable/${type}/panelcfg/x/${name}PanelCfg_types.gen";`
  );
  return [
    'import type { Dashboard, Panel } from "@grafana/schema";',
    ...imports,
    PLAIN,
    `export const dashboard: Plain<Dashboard> = ${literal(rest)};`,
    ...panels.flatMap(({ options, ...panel }) => [
      `export const panel${panel.id}: Plain<Panel> = ${literal(panel)};`,
      `export const options${panel.id}: Plain<${panel.type}.Options> = ${literal(options)};`,
      ...panel.fieldConfig.defaults.custom
        ? [
          `export const custom${panel.id}: Plain<Partial<${panel.type}.FieldConfig>> = ` +
          `${literal(panel.fieldConfig.defaults.custom)};`,
        ]
        : [],
    ]),
  ].join("\n");
}

async function checkTypes(...dashboards: readonly Dashboard[]): Promise<void> {
  await using directory = await temporaryDirectory();
  const files = dashboards.map(({ uid }) => join(directory.path, `${uid}.ts`));
  for (const [at, file] of files.entries()) await Deno.writeTextFile(file, typed(dashboards[at]!));
  await run(Deno.execPath(), ["check", "--config", join(ROOT, "deno.json"), ...files]);
}

Deno.test("the dashboards keep to Grafana's schema", async () => {
  await checkTypes(lotto24, workers);
});

Deno.test("an unknown panel option is found", async () => {
  const [panel] = lotto24.panels as [Panel];
  const wrong = { ...panel, options: { ...panel.options as object, colourMode: "value" } };
  await assert.rejects(checkTypes({ ...lotto24, panels: [wrong] }), /colourMode/);
});

Deno.test("the dashboard has the address of the replaced system, and is the home page", () => {
  assert.equal(lotto24.uid, "adxsnwq");
  assert.equal(lotto24.title.toLowerCase(), "lotto24", "the address is made of the title");
  assert.equal(lotto24.refresh, "1m");
  assert.deepEqual(lotto24.time, { from: "now-1h", to: "now" });
  const { environment, volumes } = compose.services.grafana!;
  const mount = volumes!.find((volume) => volume.startsWith("./grafana/dashboards:"))!;
  assert.equal(
    environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH,
    `${mount.split(":")[1]}/lotto24.json`,
  );
});

Deno.test("each dashboard has a name of its own, or Grafana would load none", async () => {
  const files = Array.fromAsync(Deno.readDir(join(ROOT, "grafana/dashboards")), ({ name }) => name);
  assert.deepEqual((await files).sort(), ["lotto24.json", "workers.json"]);
  assert.notEqual(workers.uid, lotto24.uid);
  assert.notEqual(workers.title, lotto24.title);
  for (const [{ links }, other] of [[lotto24, workers], [workers, lotto24]] as const) {
    assert.ok(links.some(({ url }) => url === `/d/${other.uid}`), `no way to ${other.title}`);
  }
});

/** Panels that operators rely on. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "Lotto24": [
    "Events per minute by type",
    "Events per minute by lottery",
    "Top lotteries",
    "Click-to-payment funnel by lottery",
    "Last hour vs. the hour before",
    "Events per minute vs. an hour earlier",
    "Dead letters per minute by reason",
    "Lag",
    "Watermark delay",
  ],
  "Lotto24 workers": ["Events per second by worker", "Latency", "Lag by partition"],
};

Deno.test("Grafana finds its files, and reads PostgreSQL with the role that only reads", async () => {
  const { volumes } = compose.services.grafana!;
  const { providers: [provider] } = await readProvisioning("dashboards/dashboards.yaml");
  assert.ok(volumes!.includes(`./grafana/dashboards:${provider.options.path}:ro`));
  assert.ok(volumes!.includes("./grafana/provisioning:/etc/grafana/provisioning:ro"));
  const [postgres, prometheus] = datasources.datasources;
  assert.deepEqual(
    [postgres.url, postgres.user, postgres.jsonData.database, postgres.secureJsonData.password],
    ["postgres:5432", "grafana", "lottery_db", "${GRAFANA_DB_PASSWORD}"],
  );
  assert.equal(postgres.isDefault, true);
  assert.equal(postgres.jsonData.sslmode, "disable"); // inside the network it has no certificate
  const [, major] = compose.services.postgres!.image!.match(/:(\d+)\./)!;
  assert.equal(postgres.jsonData.postgresVersion, Number(major) * 100);
  assert.equal(prometheus.url, "http://prometheus:9090");
  const { global } = parse(await prometheusConfig());
  assert.equal(prometheus.jsonData.timeInterval, global.scrape_interval);
});

for (const dashboard of [lotto24, workers]) {
  const { panels, templating, title } = dashboard;

  Deno.test(`${title}: every panel says what it shows, in a unit, and has a place of its own`, () => {
    for (const asked of ASKED[title]!) {
      assert.ok(panels.some((panel) => panel.title === asked), `${asked} is missing`);
    }
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Set<string>();
    for (const { title, description, fieldConfig, gridPos: { x, y, w, h } } of panels) {
      assert.ok(title && description, title);
      assert.ok(fieldConfig.defaults.unit, title);
      assert.ok(x + w <= 24, title);
      for (let at = 0; at < w * h; at++) {
        const cell = `${x + at % w}/${y + Math.floor(at / w)}`;
        assert.ok(!taken.has(cell), `${title} covers another panel`);
        taken.add(cell);
      }
    }
  });

  Deno.test(`${title}: every query goes to a data source that is provisioned, and knows its variables`, () => {
    const types = new Map(
      datasources.datasources.map(({ uid, type }: Target["datasource"]) => [uid, type]),
    );
    const names = templating.list.map(({ name }) => name);
    for (const { title, targets } of panels) {
      assert.ok(targets.length > 0, title);
      for (const { datasource, rawSql, expr } of targets) {
        assert.equal(datasource.type, types.get(datasource.uid), title);
        for (const [, name] of (rawSql ?? expr!).matchAll(/\$\{?([a-z]\w*)/g)) {
          assert.ok(names.includes(name!), `${title}: $${name}`);
        }
      }
    }
    for (const { datasource } of templating.list) assert.ok(types.has(datasource.uid));
  });
}
