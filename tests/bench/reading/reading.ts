/**
 * How fast counts of months are read: by the dashboard Lotto24, by pages, the API and `status`.
 * Nothing else is done meanwhile, and what is read was read before, except where it says cold.
 * @module
 */

import { status } from "../../../lib/commands/status/status.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free_port.ts";
import { Program, runProgram } from "../../support/worker_process.ts";
import { type Finding, median } from "../report.ts";
import type { Stand } from "../stand.ts";
import { allAtOnce, dashboardQueries, oneByOne, timed } from "./dashboard.ts";
import { fill, type Filled } from "./filled.ts";
import { answered, apiRequests, type HttpRequest, pageRequests, SPANS_MS } from "./requests.ts";

/** In the order of the ranges. */
const PANEL_GOALS_MS = [100, 300, 300];
const DASHBOARD_GOALS_MS = [500, 1_500, 1_500];
const HTTP_GOAL_MS = 150;
const STATUS_GOAL_MS = 100;

export async function* reading(stand: Stand): AsyncGenerator<Finding> {
  const days = stand.isQuick ? 1 : 91;
  const startedAt = performance.now();
  await using filled = await fill(stand, days);
  yield {
    what: `filled with ${days} days of 60 names`,
    measured: `${(filled.rows / 1e6).toFixed(1)} M rows`,
    beside: `in ${Math.round((performance.now() - startedAt) / 1000)} s`,
  };
  const rounds = stand.isQuick ? 2 : 7;
  yield* readDashboard(filled, rounds);
  yield* readStatus(filled, rounds);
  {
    const port = String(freePort());
    await using worker = await Program.start(["start"], {
      env: { ...filled.env, HTTP_PORT: port },
    });
    await worker.printed(/Reading \d+ partition/);
    const address = `http://127.0.0.1:${port}`;
    await eventually(async () => (await fetch(`${address}/readyz`).catch(() => null))?.ok ?? false);
    yield* ask(address, pageRequests(filled.toMs), { rounds, goalMs: HTTP_GOAL_MS });
    yield* ask(address, apiRequests(filled.toMs), { rounds, goalMs: HTTP_GOAL_MS });
    const statusRequest = { name: "/api/status", path: "/api/status" };
    yield* ask(address, [statusRequest], { rounds, goalMs: STATUS_GOAL_MS });
  }
  yield* readCold(stand, filled);
}

async function* readDashboard(filled: Filled, rounds: number): AsyncGenerator<Finding> {
  const names: string[] = [];
  const ranges: { times: number[][]; together: number[] }[] = [];
  for (const spanMs of Object.values(SPANS_MS)) {
    const queries = await dashboardQueries(filled, spanMs);
    if (names.length === 0) names.push(...queries.map(({ name }) => name));
    await oneByOne(filled, queries); // warms up
    const [times, together]: [number[][], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      times.push(await oneByOne(filled, queries));
      together.push(await allAtOnce(filled, queries));
    }
    ranges.push({ times, together });
  }
  for (const [at, name] of names.entries()) {
    const ms = ranges.map(({ times }) => median(times.map((round) => round[at]!)));
    yield ofRanges(name, ms, PANEL_GOALS_MS);
  }
  yield ofRanges(
    "all of Lotto24, one by one",
    ranges.map(({ times }) => median(times.map((round) => round.reduce((sum, ms) => sum + ms)))),
    DASHBOARD_GOALS_MS,
  );
  yield ofRanges(
    "all of Lotto24, six at a time",
    ranges.map(({ together }) => median(together)),
    DASHBOARD_GOALS_MS,
  );
}

/** A figure and a goal for each range. */
function ofRanges(name: string, ms: readonly number[], goalsMs: readonly number[]): Finding {
  return {
    what: `${name}, ${Object.keys(SPANS_MS).join(" · ")}`,
    measured: `${ms.map((each) => Math.round(each)).join(" · ")} ms`,
    goal: `≤ ${goalsMs.join(" · ")} ms`,
    isReached: ms.every((each, at) => each <= goalsMs[at]!),
  };
}

async function* readStatus(filled: Filled, rounds: number): AsyncGenerator<Finding> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    times.push(await timed(() => status(filled.config)));
  }
  const whole = await timed(() => runProgram(["status"], { env: filled.env }));
  const ms = median(times.slice(1));
  yield {
    what: "status, of PostgreSQL and Kafka",
    measured: `${Math.round(ms)} ms`,
    beside: `with the start of the program ${Math.round(whole)} ms`,
    goal: `≤ ${STATUS_GOAL_MS} ms`,
    isReached: ms <= STATUS_GOAL_MS,
  };
}

/** In turn, so that no answer is one that was kept for the same request. */
async function* ask(
  address: string,
  requests: readonly HttpRequest[],
  { rounds, goalMs }: { readonly rounds: number; readonly goalMs: number },
): AsyncGenerator<Finding> {
  const times = requests.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [at, request] of requests.entries()) {
      times[at]!.push(await timed(() => answered(address, request)));
    }
  }
  for (const [at, request] of requests.entries()) {
    const ms = median(times[at]!.slice(1));
    yield {
      what: request.name,
      measured: `${Math.round(ms)} ms`,
      goal: `≤ ${goalMs} ms`,
      isReached: ms <= goalMs,
    };
  }
}

/** The first look after a restart of PostgreSQL, with nothing in memory. */
async function* readCold(stand: Stand, filled: Filled): AsyncGenerator<Finding> {
  const ms: number[] = [];
  for (const spanMs of Object.values(SPANS_MS)) {
    const queries = await dashboardQueries(filled, spanMs);
    await stand.restartCold();
    ms.push(await timed(() => oneByOne(filled, queries)));
  }
  yield {
    what: `all of Lotto24, cold, ${Object.keys(SPANS_MS).join(" · ")}`,
    measured: `${ms.map((each) => Math.round(each)).join(" · ")} ms`,
  };
}
