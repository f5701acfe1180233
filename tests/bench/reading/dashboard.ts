/**
 * The queries of the dashboard Lotto24, as Grafana sends them.
 * @module
 */

// @ts-types="@types/pg"
import pg from "pg";
import { expandSql, readDashboard } from "../../support/grafana.ts";
import type { Filled } from "./filled.ts";

/** What a dashboard asks for when it is opened, or its range changes. */
export interface DashboardQuery {
  readonly name: string;
  readonly text: string;
}

/** How many queries a browser lets run at once. */
const CONNECTIONS = 6;

/** Queries of the variables and of each panel that has some in SQL; over the last `spanMs`. */
export async function dashboardQueries(filled: Filled, spanMs: number): Promise<DashboardQuery[]> {
  const { panels, templating: { list: variables } } = await readDashboard("lotto24");
  const chosen: Record<string, string[]> = {};
  const expand = (sql: string) =>
    expandSql(sql, {
      fromMs: filled.toMs - spanMs,
      toMs: filled.toMs,
      chosen,
      variables,
    });
  const queries: DashboardQuery[] = [];
  for (const { name, datasource, query, allValue } of variables) {
    if (datasource?.uid !== "lottery-postgres") continue;
    const text = expand(typeof query === "string" ? query : query.query);
    queries.push({ name: `variable ${name}`, text });
    if (!allValue) chosen[name] = [await firstValue(filled, text)];
  }
  for (const panel of panels) {
    const name = panel.title.replaceAll(/\$\{(\w+)[^}]*\}/g, "$1");
    const sqls = (panel.targets ?? []).flatMap(({ rawSql }) => rawSql ? [rawSql] : []);
    for (const [at, sql] of sqls.entries()) {
      queries.push({
        name: sqls.length > 1 ? `${name}, query ${at + 1}` : name,
        text: expand(sql),
      });
    }
  }
  return queries;
}

/** What Grafana chooses where not all values can be. */
async function firstValue(filled: Filled, text: string): Promise<string> {
  const client = await connect(filled);
  try {
    const { rows: [row] } = await client.query(text);
    return String(row.__value ?? Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

/** Times of each query, one after the other, in milliseconds. */
export async function oneByOne(
  filled: Filled,
  queries: readonly DashboardQuery[],
): Promise<number[]> {
  const client = await connect(filled);
  try {
    const times: number[] = [];
    for (const { text } of queries) times.push(await timed(() => client.query(text)));
    return times;
  } finally {
    await client.end();
  }
}

/** Time until all of them are answered, when a browser asks for them. */
export async function allAtOnce(
  filled: Filled,
  queries: readonly DashboardQuery[],
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(filled)));
  try {
    const waiting = [...queries];
    return await timed(() =>
      Promise.all(clients.map(async (client) => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          await client.query(next.text);
        }
      }))
    );
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** With what a session loads once, as Grafana's sessions have. */
async function connect({ readerUrl }: Filled): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: readerUrl });
  await client.connect();
  await client.query("select from lottery_aggregates cross join pipeline limit 1");
  return client;
}

export async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}
