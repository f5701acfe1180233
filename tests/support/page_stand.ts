/**
 * A page with what a worker may tell, and no worker.
 */

import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions } from "playwright-core";
import type { WindowView } from "../../lib/core/views/window_view.ts";
import { listen } from "../../lib/io/http/server/listen.ts";
import type { Overview } from "../../lib/io/postgres/queries/overview.ts";
import { answering, type AnsweringOptions } from "./answering.ts";
import { openPage, type WatchedPage } from "./browser.ts";

export const MINUTE_MS = 60_000;
export const NOON_MS = Date.UTC(2026, 0, 1, 12);

/** All is well. */
export const OVERVIEW: Overview = {
  nowMs: NOON_MS + 30_000,
  newestWindowMs: NOON_MS,
  watermarkMs: NOON_MS + 15_000,
  windowMs: MINUTE_MS,
  closedUpToMs: NOON_MS - MINUTE_MS,
  events: 1_234_567,
  deadLetters: 3,
  partitions: [],
  workers: 2,
  audit: null,
  quiet: { total: 0, listed: [] },
};

export const VIEW: WindowView = {
  fromMs: NOON_MS - 14 * MINUTE_MS,
  toMs: NOON_MS + MINUTE_MS,
  stepMs: MINUTE_MS,
  windowMs: MINUTE_MS,
  zone: "UTC",
  keptFromMs: null,
  isLive: true,
  eventTypes: ["clicked", "pay"],
  lotteryNames: ["mega_draw", "an extraordinarily long name of a lottery ".repeat(5)],
  otherLotteries: 0,
  bars: Array.from({ length: 15 }, (_, at) => ({
    startMs: NOON_MS + (at - 14) * MINUTE_MS,
    endMs: NOON_MS + (at - 13) * MINUTE_MS,
    events: [1000 + at, 100, 0],
    weekAgo: null,
  })),
  totals: [[15_000, 1_500, 0], [90, 15, 0], [0, 0, 0]],
  totalsWeekAgo: null,
  current: {
    startMs: NOON_MS,
    events: [[40, 7, 0], [0, 1, 0], [0, 0, 0]],
  },
  closed: null,
};

export const READY: AnsweringOptions = {
  overview: () => Promise.resolve(OVERVIEW),
  view: () => Promise.resolve(VIEW),
};

/** A page that is served so, for as long as `body` takes; nothing may go wrong on it. */
export type Look = (
  options: AnsweringOptions,
  body: (visit: WatchedPage) => Promise<void>,
  context?: LookContext,
) => Promise<void>;

/** How it is looked at. */
export interface LookContext extends BrowserContextOptions {
  /** What stands behind the slash. */
  readonly search?: string;
}

/** How to look at a page with that browser. */
export function lookAt(browser: () => Promise<Browser>): Look {
  return async (options, body, { search = "", ...context } = {}) => {
    using open = answering({ tickMs: 20, ...options });
    await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
    await using visit = await openPage(await browser(), `${server.url}${search}`, context);
    await body(visit);
    assert.deepEqual(visit.errors, []);
  };
}
