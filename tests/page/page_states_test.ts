/// <reference lib="dom" />
/** The page in a real browser, with what a worker may tell. */

import assert from "node:assert/strict";
import type { WindowView } from "../../lib/core/window_view.ts";
import { listen } from "../../lib/io/http/listen.ts";
import type { Overview } from "../../lib/io/postgres/overview.ts";
import { Vitals } from "../../lib/vitals.ts";
import { answering, type AnsweringOptions } from "../support/answering.ts";
import { openPage, sharedBrowser, type WatchedPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { serverTest } from "../support/servers.ts";

const browser = sharedBrowser();

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 1, 12);

const OVERVIEW: Overview = {
  nowMs: NOON_MS + 30_000,
  newestWindowMs: NOON_MS,
  watermarkMs: NOON_MS + 15_000,
  windowMs: MINUTE_MS,
  closedUpToMs: NOON_MS - MINUTE_MS,
  events: 1_234_567,
  deadLetters: 3,
  partitions: [],
  workers: 2,
};

const VIEW: WindowView = {
  fromMs: NOON_MS - 14 * MINUTE_MS,
  toMs: NOON_MS + MINUTE_MS,
  barMs: MINUTE_MS,
  eventTypes: ["clicked", "pay"],
  lotteryNames: ["mega_draw", "an extraordinarily long name of a lottery ".repeat(5)],
  otherLotteries: 0,
  bars: Array.from({ length: 15 }, (_, at) => ({
    startMs: NOON_MS + (at - 14) * MINUTE_MS,
    events: [1000 + at, 100, 0],
  })),
  totals: [[15_000, 1_500, 0], [90, 15, 0], [0, 0, 0]],
  current: {
    startMs: NOON_MS,
    events: [[40, 7, 0], [0, 1, 0], [0, 0, 0]],
    eventsBefore: [[30, 9, 0], [0, 1, 0], [0, 0, 0]],
  },
  closed: null,
};

const READY: AnsweringOptions = {
  overview: () => Promise.resolve(OVERVIEW),
  view: () => Promise.resolve(VIEW),
};

async function look(
  options: AnsweringOptions,
  body: (visit: WatchedPage) => Promise<void>,
  context = {},
): Promise<void> {
  using open = answering({ tickMs: 20, ...options });
  await using server = listen(open.handle, { host: "127.0.0.1", port: undefined });
  await using visit = await openPage(await browser(), server.url, context);
  await body(visit);
  assert.deepEqual(visit.errors, []);
}

serverTest(
  "the page shows what the worker tells, on a screen of any size and kind",
  ["chromium"],
  async () => {
    await look(READY, async ({ page }) => {
      await page.locator("#tile-events .value", { hasText: "1,234,567" }).waitFor();
      await page.locator("#state-window p", { hasText: "11:59 – 12:01 · now in 12:00" }).waitFor();
      assert.equal(await page.locator("#state-window progress").getAttribute("value"), "0.25");
      const row = page.locator("#window-current tbody tr", { hasText: "mega_draw" });
      assert.deepEqual(
        await row.locator("td").allTextContents(),
        ["47+8", "40+10", "7−2"],
      );
      await page.locator("#window-current", { hasText: "Jan 1, 2026, 12:00 – 12:01" }).waitFor();
      await page.locator("#window-closed", { hasText: "No window is closed yet" }).waitFor();
      assert.equal(
        await page.locator(".connection i").evaluate((dot) => getComputedStyle(dot).animationName),
        "none",
      );
      const [page1, card] = await page.evaluate(() =>
        [document.body, document.querySelector(".card")!].map((each) =>
          getComputedStyle(each).backgroundColor
        )
      );
      assert.deepEqual([page1, card], ["rgb(11, 13, 18)", "rgb(18, 21, 28)"]);
    }, { colorScheme: "dark", reducedMotion: "reduce", timezoneId: "UTC" });

    await look(READY, async ({ page }) => {
      await page.locator("#busiest li").first().waitFor();
      const tooWide = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth
      );
      assert.equal(tooWide, 0, "nothing has to be scrolled sideways");
    }, { viewport: { width: 360, height: 740 } });
  },
);

serverTest("the page can be used with the keyboard alone", ["chromium"], async () => {
  const asked: string[] = [];
  const view: AnsweringOptions["view"] = ({ range, lotteryName }) => {
    asked.push(`${range} ${lotteryName}`);
    return Promise.resolve(VIEW);
  };
  await look({ ...READY, view }, async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    const focused = () =>
      page.evaluate(() =>
        document.activeElement?.id || document.activeElement?.getAttribute("name") ||
        document.activeElement?.closest("[id]")?.id
      );
    const order: (string | undefined)[] = [];
    for (let tab = 0; tab < 6; tab++) {
      await page.keyboard.press("Tab");
      order.push(await focused() ?? undefined);
    }
    assert.deepEqual(order.slice(1), ["lottery", "range", "show-letters", "chart", "busiest"]);
    await page.keyboard.press("Enter");
    await page.waitForURL(/lottery=mega_draw/);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Home");
    await page.locator("#chart-value", { hasText: "clicked 1,000" }).waitFor({ state: "attached" });
    await page.keyboard.press("ArrowRight");
    await page.locator("#chart-value", { hasText: "clicked 1,001" }).waitFor({ state: "attached" });
    await page.getByLabel("15 min").focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/range=1h/);
    await eventually(() => asked.includes("1h mega_draw"));
  });
});

serverTest("the page says what there is to wait for", ["chromium"], async () => {
  await look({}, async ({ page }) => {
    await page.locator("#notice", { hasText: "No events yet" }).waitFor();
    await page.locator("#state-source", { hasText: "not asked yet" }).waitFor();
    assert.ok(await page.locator(".charts").isHidden());
    await page.locator("#show-letters").click();
    await page.locator("#letters", { hasText: "every record was an event" }).waitFor();
  });

  const vitals = new Vitals();
  let isAway = true;
  const orAway = <T>(value: T) =>
    isAway ? Promise.reject(new Error("away")) : Promise.resolve(value);
  const options = { vitals, overview: () => orAway(OVERVIEW), view: () => orAway(VIEW) };
  await look(options, async ({ page }) => {
    vitals.failed("source");
    await page.locator("#notice", { hasText: "PostgreSQL does not answer" }).waitFor();
    await page.locator("#state-source", { hasText: "does not answer for" }).waitFor();
    vitals.answered("source");
    isAway = false;
    await page.locator("#notice").waitFor({ state: "hidden" });
    await page.locator("#state-source", { hasText: "answers" }).waitFor();
    await page.locator("#busiest button", { hasText: "mega_draw" }).waitFor();
  });
});
