import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { readCompose, ROOT } from "../support/compose.ts";
import {
  type Dashboard,
  type DataLink,
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
  assert.deepEqual(lotto24.time, { from: "now-6h", to: "now" });
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
    "Events per ${bucket:text} by type",
    "Events per ${bucket:text} by lottery",
    "Top lotteries",
    "Click-to-payment funnel by lottery",
    "Compared with a week earlier",
    "Last hour vs. the hour before",
    "Events per ${bucket:text} compared with earlier",
    "Dead letters per ${bucket:text} by reason",
    "Lag",
    "Watermark delay",
    "Last audit",
    "Quiet lotteries",
  ],
  "Lotto24 workers": [
    "Events per second by worker",
    "Latency",
    "Lag by partition",
    "Last audit",
    "Books difference",
    "Audits",
  ],
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
        for (const [, name] of `${title} ${rawSql ?? expr}`.matchAll(/\$\{?([a-z]\w*)/g)) {
          assert.ok(names.includes(name!), `${title}: $${name}`);
        }
      }
    }
    for (const { name, type, datasource } of templating.list) {
      if (type === "custom") continue; // its values stand in it
      assert.ok(types.has(datasource!.uid), name);
    }
  });

  Deno.test(`${title}: no unit rounds thousands, so that two lines of an axis never look the same`, () => {
    for (const { title, fieldConfig } of panels) {
      assert.notEqual(fieldConfig.defaults.unit, "short", title);
    }
  });

  Deno.test(`${title}: a value that is missing has a neutral colour, for it is no verdict`, () => {
    const stats = panels.filter(({ type }) => type === "stat");
    assert.ok(stats.length > 0);
    for (const { title, fieldConfig: { defaults: { noValue, thresholds } } } of stats) {
      assert.deepEqual(thresholds!.steps[0], { color: "text", value: null }, title);
      assert.ok(noValue, title);
    }
  });

  Deno.test(`${title}: a figure from Prometheus is one of now, not the last one of a worker that is gone`, () => {
    for (const { type, title, targets } of panels) {
      if (type !== "stat") continue;
      for (const { expr, instant, range } of targets) {
        if (expr) assert.deepEqual([instant, range], [true, false], title);
      }
    }
  });
}

/** Addresses that a click in the panel leads to. */
function clicksOf({ fieldConfig: { defaults, overrides } }: Panel): string[] {
  const overridden = overrides.flatMap(({ properties }) =>
    properties.filter(({ id }) => id === "links").flatMap(({ value }) => value as DataLink[])
  );
  return [...defaults.links ?? [], ...overridden].map(({ url }) => url);
}

Deno.test("a click on a lottery shows it alone, one on lag or audit the workers, one on dead letters the latest", () => {
  const targets = lotto24.panels.flatMap((panel) =>
    clicksOf(panel).map((url) => ({ title: panel.title, url: new URL(url, "http://grafana") }))
  );
  const keptTime = targets.every(({ url }) => url.search.includes("${__url_time_range}"));
  assert.ok(keptTime, "a click loses the range");
  const leadTo = (isMeant: (url: URL) => boolean) =>
    targets.filter(({ url }) => isMeant(url)).map(({ title }) => title).sort();
  assert.deepEqual(leadTo(({ search }) => search.includes("&var-lottery=$")), [
    "Click-to-payment funnel by lottery",
    "Events per ${bucket:text} by lottery",
    "Quiet lotteries",
    "Top lotteries",
  ]);
  assert.deepEqual(leadTo(({ pathname }) => pathname === `/d/${workers.uid}`), [
    "Lag",
    "Last audit",
  ]);
  const latest = lotto24.panels.find(({ title }) => title === "Latest dead letters")!;
  assert.deepEqual(leadTo(({ search }) => search.includes(`&viewPanel=panel-${latest.id}`)), [
    "Dead letters",
    "Dead letters per ${bucket:text} by reason",
  ]);
  for (const { url: { pathname } } of targets) {
    assert.ok([lotto24, workers].some(({ uid }) => pathname.startsWith(`/d/${uid}`)), pathname);
  }
});

Deno.test("both dashboards lead to the page of the first worker", () => {
  const [ports] = compose.services.worker!.ports!;
  const [, host, first] = ports!.match(/^([\d.]+):(\d+)(?:-\d+)?:\d+$/)!;
  assert.equal(host, "127.0.0.1");
  for (const { links } of [lotto24, workers]) {
    assert.ok(links.some(({ url }) => url === `http://localhost:${first}/`));
  }
});
