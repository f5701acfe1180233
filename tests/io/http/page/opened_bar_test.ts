/// <reference lib="dom" />
/** Bars of the chart that are opened, compared and switched off, in a real browser. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { WindowView } from "../../../../lib/core/views/window_view.ts";
import type { Totals, TotalsQuery } from "../../../../lib/io/postgres/queries/totals.ts";
import type { AnsweringOptions } from "../../../support/answering.ts";
import { sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { lookAt, MINUTE_MS, NOON_MS, OVERVIEW, READY, VIEW } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";

const look = lookAt(sharedBrowser());
const UTC = { timezoneId: "UTC" };
const HOUR_MS = 60 * MINUTE_MS;

const TOTALS: Totals = {
  eventTypes: ["clicked", "pay"],
  lotteryNames: ["mega_draw", "daily"],
  otherLotteries: 2,
  totals: [[1_200, 60, 0], [300, 0, 0], [5, 0, 0]],
  totalsWeekAgo: [[1_000, 80, 0], [300, 0, 0], [0, 0, 0]],
  isClosed: true,
  isWhole: true,
};

/** Twelve hours up to noon, of which the last one is open; a week ago only the first is unknown. */
const HOURS: WindowView = {
  ...VIEW,
  fromMs: NOON_MS - 11 * HOUR_MS,
  toMs: NOON_MS + HOUR_MS,
  stepMs: HOUR_MS,
  bars: Array.from({ length: 12 }, (_, at) => ({
    startMs: NOON_MS + (at - 11) * HOUR_MS,
    endMs: NOON_MS + (at - 10) * HOUR_MS,
    events: [1_100, 100, 0],
    weekAgo: [1_000, 200, 0],
  })),
  current: { ...VIEW.current, startMs: NOON_MS + 5 * MINUTE_MS },
  closed: {
    startMs: NOON_MS + 3 * MINUTE_MS,
    events: [[40, 7, 0], [0, 1, 0], [0, 0, 0]],
    eventsBefore: [[30, 9, 0], [0, 1, 0], [0, 0, 0]],
    eventsWeekAgo: [[20, 14, 0], [0, 0, 0], [0, 0, 0]],
  },
};

interface Stand extends AnsweringOptions {
  readonly asked: TotalsQuery[];
}

function stand(totals: (query: TotalsQuery) => Totals = () => TOTALS, view = HOURS): Stand {
  const asked: TotalsQuery[] = [];
  return {
    ...READY,
    overview: () => Promise.resolve({ ...OVERVIEW, closedUpToMs: NOON_MS + 4 * MINUTE_MS }),
    view: () => Promise.resolve(view),
    totals: (query) => {
      asked.push(query);
      return Promise.resolve(totals(query));
    },
    asked,
  };
}

async function clickBar(page: Page, at: number): Promise<void> {
  await page.locator("#busiest li").first().waitFor();
  const { width, height } = (await page.locator("#chart .u-over").boundingBox())!;
  await page.locator("#chart .u-over").click({
    position: { x: (at + 0.5) / HOURS.bars.length * width, y: height / 2 },
  });
}

const cells = (page: Page, place: string, row: string) =>
  page.locator(`${place} tr`, { has: page.getByRole("rowheader", { name: row, exact: true }) })
    .locator("td").allTextContents();

serverTest("a click on a bar shows its table, with the change from a week before", [
  "chromium",
], async () => {
  const options = stand();
  await look(options, async ({ page }) => {
    await clickBar(page, 3);
    await page.waitForURL(/\?bar=2026-01-01T04:00:00Z$/);
    await page.locator("#bar-title", { hasText: "Thu, Jan 1, 04:00 – 05:00" }).waitFor();
    await page.locator("#bar tfoot").waitFor();
    assert.deepEqual(
      await cells(page, "#bar", "mega_draw"),
      [
        ...["1,260▲ 17%", "1,200▲ 20%", "60▼ 25%"],
      ],
    );
    assert.deepEqual(await cells(page, "#bar", "2 others"), ["5", "5", "0"], "no verdict");
    assert.deepEqual(
      await cells(page, "#bar", "Total"),
      [
        ...["1,565▲ 13%", "1,505▲ 16%", "60▼ 25%"],
      ],
    );
    await page.locator("#bar-note", { hasText: "1,565 events ▲ 13% from a week before" }).waitFor();
    const { fromMs, toMs, lotteryNames } = options.asked[0]!;
    assert.deepEqual(
      [fromMs, toMs, lotteryNames],
      [NOON_MS - 8 * HOUR_MS, NOON_MS - 7 * HOUR_MS, []],
    );
    assert.equal(options.asked.length, 1, "what is closed is read once");

    await page.reload({ waitUntil: "commit" });
    await page.locator("#bar tfoot").waitFor();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/\?from=2026-01-01T04:00:00Z&to=2026-01-01T05:00:00Z$/);
    assert.ok(await page.locator("#bar").isHidden());
    await page.goBack({ waitUntil: "commit" });
    await page.locator("#bar tfoot").waitFor();
    await page.getByRole("button", { name: "Close the table of this bar" }).click();
    await page.locator("#bar").waitFor({ state: "hidden" });
    assert.equal(new URL(page.url()).search, "");
  }, UTC);
});

serverTest("Enter opens the selected bar, and Escape leads back to it", ["chromium"], async () => {
  await look(stand(), async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    await page.locator("#chart").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.locator(".tip", { hasText: "week before 1,200" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#bar-title", { hasText: "02:00 – 03:00" }).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.id);
    assert.equal(await focused(), "bar-title");
    await page.keyboard.press("Escape");
    await page.locator("#bar").waitFor({ state: "hidden" });
    assert.equal(await focused(), "chart");
    await page.keyboard.press("ArrowRight");
    await page.locator("#chart-value", { hasText: "03:00 – 04:00" }).waitFor({ state: "attached" });
  }, UTC);
});

serverTest(
  "a bar that is still filling is read again, and compared as far as it is closed",
  ["chromium"],
  async () => {
    let events = 10;
    const options = stand(() => ({
      ...TOTALS,
      totals: [[events++, 0, 0], [0, 0, 0], [0, 0, 0]],
      totalsWeekAgo: [[5, 0, 0], [0, 0, 0], [0, 0, 0]],
    }));
    const windowMs = 10_000;
    const closed = { ...HOURS.closed!, startMs: NOON_MS + 2 * windowMs };
    let updates = 0; // something new comes with each
    const view = () => {
      const totals = [[++updates, 0, 0], [0, 0, 0], [0, 0, 0]];
      return Promise.resolve({ ...VIEW, windowMs, closed, totals });
    };
    await look({ ...options, view }, async ({ page }) => {
      await page.locator("#bar-note", { hasText: /^10 events so far ▲ 100%/ }).waitFor();
      await page.locator("#bar-note", { hasText: /^11 events so far ▲ 120%/ }).waitFor();
      for (const { fromMs, toMs } of options.asked) {
        assert.deepEqual([fromMs, toMs], [NOON_MS, NOON_MS + 3 * windowMs]);
      }
    }, { search: "?bar=2026-01-01T12:00:00Z", ...UTC });
  },
);

serverTest("an opened bar that the range does not have is named", ["chromium"], async () => {
  await look(stand(), async ({ page }) => {
    await page.locator("#bar-note", { hasText: "This bar is not in the range" }).waitFor();
    await page.locator("#bar-title", { hasText: "Dec 1, 2025, 12:00" }).waitFor();
  }, { search: "?bar=2025-12-01T12:00:00Z", ...UTC });
});

serverTest("the range and the last closed window are compared with a week before", [
  "chromium",
], async () => {
  await look(stand(), async ({ page }) => {
    await page.locator("#legend", { hasText: "week before" }).waitFor();
    await page.locator("#range-events", { hasText: /^14,400$/ }).waitFor();
    await page.locator("#range-change", { hasText: /^0% from a week before$/ }).waitFor();
    await page.locator("#window-closed", { hasText: "with change from a week before" }).waitFor();
    assert.deepEqual(
      await cells(page, "#window-closed", "mega_draw"),
      ["47▲ 38%", "40▲ 100%", "7▼ 50%"],
    );
    assert.deepEqual(
      await cells(page, "#window-closed", "Total"),
      ["48▲ 41%", "40▲ 100%", "8▼ 43%"],
    );
    assert.equal(
      await page.locator("#window-closed small [aria-label=up]").first().textContent(),
      "▲ ",
    );
  }, UTC);

  const [first, ...bars] = HOURS.bars;
  const unknown = { ...HOURS, bars: [{ ...first!, weekAgo: null }, ...bars] };
  await look(stand(undefined, unknown), async ({ page }) => {
    await page.locator("#range-events", { hasText: /^14,400$/ }).waitFor();
    assert.ok(await page.locator("#range-change").isHidden(), "a part is no verdict");
  });
});

serverTest("event types can be switched off, and what is left follows", ["chromium"], async () => {
  await look(stand(), async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    const clicked = page.locator("#legend button", { hasText: "clicked" });
    await clicked.focus();
    await page.keyboard.press("Space");
    await page.waitForURL(/\?off=clicked$/);
    assert.equal(await clicked.getAttribute("aria-pressed"), "false");
    assert.equal(
      await page.evaluate(() => document.activeElement?.textContent),
      "clicked 13,200",
      "the button keeps the focus",
    );
    await page.locator("#range-events", { hasText: /^1,200$/ }).waitFor();
    await page.locator("#range-change", { hasText: "▼ 50%" }).waitFor();
    await page.locator("#busiest button", { hasText: "mega_draw" }).getByText("1,500").waitFor();
    assert.deepEqual(await cells(page, "#window-current", "mega_draw"), ["7", "7"]);
    assert.equal(await page.locator("#window-current thead", { hasText: "clicked" }).count(), 0);
    await page.locator("#chart").focus();
    await page.keyboard.press("Home");
    await page.locator(".tip", { hasText: "pay 100all 100 week before 200" }).waitFor();
    assert.equal(await page.locator(".tip", { hasText: "clicked" }).count(), 0);

    await page.reload({ waitUntil: "commit" });
    await page.locator("#range-events", { hasText: /^1,200$/ }).waitFor();
    await page.goBack({ waitUntil: "commit" });
    await page.locator("#range-events", { hasText: /^14,400$/ }).waitFor();
    assert.equal(await clicked.getAttribute("aria-pressed"), "true");
  }, UTC);
});

serverTest("busiest lotteries are added and removed, and totals are those of the chosen", [
  "chromium",
], async () => {
  const asked: string[] = [];
  const view: AnsweringOptions["view"] = ({ lotteryNames }) => {
    asked.push(lotteryNames.join());
    return Promise.resolve({
      ...VIEW,
      lotteryNames: ["a", "b", "c"],
      totals: [
        ...[[9, 0, 0], [8, 0, 0], [7, 0, 0], [0, 0, 0]],
      ],
      current: { startMs: NOON_MS, events: [[5, 0, 0], [4, 1, 0], [3, 0, 0], [0, 0, 0]] },
    });
  };
  await look({ ...READY, view }, async ({ page }) => {
    const row = (name: string) => page.locator(`#busiest button[data-name="${name}"]`);
    await row("a").click();
    await row("c").click();
    await page.waitForURL(/\?lottery=a&lottery=c$/);
    await page.locator("#window-current tfoot").waitFor();
    await eventually(async () =>
      (await cells(page, "#window-current", "Total")).join() === "8,8,0"
    );
    await eventually(() => asked.at(-1) === "a,c");
    assert.equal(await row("c").getAttribute("aria-pressed"), "true");
    await page.getByRole("button", { name: "Remove a" }).focus();
    await page.keyboard.press("Delete");
    await page.waitForURL(/\?lottery=c$/);
    assert.equal(await page.evaluate(() => document.activeElement?.ariaLabel), "Remove c");
    await page.keyboard.press("Enter");
    await eventually(() => new URL(page.url()).search === "");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "lottery");
  });
});

serverTest("nothing moves when numbers change", ["chromium"], async () => {
  let updates = 0;
  const view = () => {
    updates++;
    const grown = (numbers: readonly number[]) => numbers.map((each) => each && each + updates % 9);
    return Promise.resolve({
      ...HOURS,
      bars: HOURS.bars.map((bar) => ({ ...bar, events: grown(bar.events), weekAgo: null })),
      totals: HOURS.totals.map(grown),
    });
  };
  await look({ ...stand(), view }, async ({ page }) => {
    await page.locator("#bar tfoot").waitFor();
    await page.evaluate(() => {
      const shifts: string[] = [];
      Object.assign(globalThis, { shifts });
      new PerformanceObserver((list) => {
        shifts.push(...list.getEntries().map((entry) => JSON.stringify(entry)));
      }).observe({ type: "layout-shift" });
    });
    const seen = updates;
    await eventually(() => updates > seen + 20);
    await page.locator("#range-events", { hasText: /\d/ }).waitFor();
    assert.deepEqual(
      await page.evaluate(() => (globalThis as unknown as { shifts: [] }).shifts),
      [],
    );
  }, { search: "?bar=2026-01-01T04:00:00Z", ...UTC });
});
