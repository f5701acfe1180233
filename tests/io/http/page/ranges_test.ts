/// <reference lib="dom" />
/** Choosing ranges on the page, zooming in and out, in a real browser. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { ViewChoice, WindowView } from "../../../../lib/core/views/window_view.ts";
import type { AnsweringOptions } from "../../../support/answering.ts";
import { sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { lookAt, MINUTE_MS, NOON_MS, READY, VIEW } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";

const look = lookAt(sharedBrowser());
const UTC = { timezoneId: "UTC" };
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A view whose bars have one event more each. */
function viewOf(fromMs: number, stepMs: number, bars: number): WindowView {
  return {
    ...VIEW,
    fromMs,
    toMs: fromMs + bars * stepMs,
    stepMs,
    isLive: false,
    bars: Array.from({ length: bars }, (_, at) => ({
      startMs: fromMs + at * stepMs,
      endMs: fromMs + (at + 1) * stepMs,
      events: [1_000 + at, 100, 0],
      weekAgo: null,
    })),
  };
}

/** A day by the hour, and every shorter range by the minute; what was asked for is kept. */
function views(): AnsweringOptions & { readonly asked: ViewChoice[] } {
  const asked: ViewChoice[] = [];
  const view = (choice: ViewChoice) => {
    asked.push(choice);
    if (choice.range === "24h") {
      return Promise.resolve({ ...viewOf(NOON_MS - DAY_MS, HOUR_MS, 24), isLive: true });
    }
    if (typeof choice.range === "string") return Promise.resolve(VIEW);
    const { fromMs, toMs } = choice.range;
    return Promise.resolve(viewOf(fromMs, MINUTE_MS, Math.round((toMs - fromMs) / MINUTE_MS)));
  };
  return { ...READY, view, asked };
}

/** Waits for a view with such bars. */
async function title(page: Page, text: string): Promise<void> {
  await page.locator("#range-events", { hasText: /\d/ }).waitFor();
  await page.locator("#chart-title", { hasText: new RegExp(`^${text}$`) }).waitFor();
}
const note = (page: Page, text: string) => page.locator("#chart-note", { hasText: text }).waitFor();

/** Presses on one bar, and releases on another. */
async function drag(page: Page, first: number, last: number, bars: number): Promise<void> {
  const { x, y, width, height } = (await page.locator("#chart .u-over").boundingBox())!;
  const at = (bar: number) => x + (bar + 0.5) / bars * width;
  await page.mouse.move(at(first), y + height / 2);
  await page.mouse.down();
  await page.mouse.move(at((first + last) / 2), y + height / 2);
  await page.mouse.move(at(last), y + height / 2);
  await page.mouse.up();
}

serverTest(
  "a drag zooms in to whole bars; a button and the browser lead back",
  ["chromium"],
  async () => {
    const options = views();
    await look(options, async ({ page }) => {
      await title(page, "Events per hour");
      assert.ok(await page.locator("#zoom-out").isHidden());
      await drag(page, 6, 8, 24);
      await page.waitForURL(/\?from=2025-12-31T18:00:00Z&to=2025-12-31T21:00:00Z$/);
      await title(page, "Events per minute");
      await note(page, "Dec 31, 2025, 18:00 – 21:00");
      assert.deepEqual(options.asked.at(-1)!.range, {
        fromMs: NOON_MS - 18 * HOUR_MS,
        toMs: NOON_MS - 15 * HOUR_MS,
      });
      await page.locator("#span", { hasText: "Dec 31, 2025, 18:00 – 21:00" }).waitFor();
      assert.equal(await page.locator("#ranges :checked").count(), 0);
      assert.ok(await page.locator("#bar").isHidden(), "a drag opens no bar");

      await drag(page, 30, 32, 180);
      await page.waitForURL(/from=2025-12-31T18:29:00Z&to=2025-12-31T18:34:00Z$/); // at least 5
      await page.locator("#zoom-out", { hasText: "Back to Dec 31, 2025, 18:00 – 21:00" }).click();
      await page.waitForURL(/from=2025-12-31T18:00:00Z&to=2025-12-31T21:00:00Z$/);
      await page.locator("#zoom-out", { hasText: "Back to the last 24 hours" }).waitFor();
      await page.goBack({ waitUntil: "commit" });
      await note(page, "Dec 31, 2025, 18:29 – 18:34");
      await page.reload({ waitUntil: "commit" });
      await page.locator("#zoom-out", { hasText: "Back to Dec 31, 2025, 18:00 – 21:00" }).click();
      await page.locator("#zoom-out", { hasText: "Back to the last 24 hours" }).click();
      await page.waitForURL(/\?range=24h$/);
      await title(page, "Events per hour");
      assert.ok(await page.getByLabel("24 h").isChecked());
    }, { search: "?range=24h", ...UTC });
  },
);

serverTest("plus and minus zoom in and out", ["chromium"], async () => {
  await look(views(), async ({ page }) => {
    await title(page, "Events per hour");
    await page.locator("#chart").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("+");
    await page.waitForURL(/from=2025-12-31T12:00:00Z&to=2026-01-01T00:00:00Z$/);
    await note(page, "Dec 31, 2025");
    await page.keyboard.press("-");
    await page.waitForURL(/\?range=24h$/);
    await page.locator('#main[aria-busy="false"]').waitFor(); // what is to be doubled is shown
    await page.keyboard.press("-");
    await page.waitForURL(/from=2025-12-30T12:00:00Z&to=2026-01-01T12:00:00Z$/);
  }, { search: "?range=24h", ...UTC });
});

serverTest("any two times can be entered, in the time zone of the browser", [
  "chromium",
], async () => {
  const options = views();
  await look(options, async ({ page }) => {
    await title(page, "Events per minute");
    await page.locator("#span").focus();
    await page.keyboard.press("Enter");
    await page.locator("#span-zone", { hasText: "Europe/Berlin" }).waitFor();
    assert.equal(await page.locator("#from").inputValue(), "2026-01-01T12:46");
    assert.equal(await page.locator("#to").inputValue(), "2026-01-01T13:01");
    await page.locator("#from").fill("2026-01-01T14:00");
    await page.keyboard.press("Enter");
    await page.locator("#span-problem", { hasText: "The first time must be before" }).waitFor();
    await page.locator("#from").fill("2025-06-01T00:00");
    await page.locator("#to").fill("2025-06-01T02:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL(/\?from=2025-05-31T22:00:00Z&to=2025-06-01T00:00:00Z$/);
    await note(page, "Jun 1, 2025, 00:00 – 02:00");
    assert.equal(options.asked.at(-1)!.zone, "Europe/Berlin");
    assert.ok(await page.locator("#span-form").isHidden());
    await page.locator("#span").click();
    await page.keyboard.press("Escape");
    assert.ok(await page.locator("#span-form").isHidden());
    assert.equal(await page.evaluate(() => document.activeElement?.id), "span");
  }, { timezoneId: "Europe/Berlin" });
});

serverTest("a range may span a year of days, with a note where counts were deleted", [
  "chromium",
], async () => {
  const year = {
    ...viewOf(Date.UTC(2025, 0, 2), DAY_MS, 365),
    isLive: true,
    keptFromMs: Date.UTC(2025, 0, 2),
  };
  await look({ ...READY, view: () => Promise.resolve(year) }, async ({ page }) => {
    await title(page, "Events per day");
    await page.getByText("1 year", { exact: true }).click();
    await page.waitForURL(/\?range=1y$/);
    await title(page, "Events per day");
    await page.locator("#range-events", { hasText: "467,930" }).waitFor(); // all bars together
    await page.getByText("events in the last year").waitFor();
    await page.locator("#kept", { hasText: "Counts before Jan 2, 2025 were deleted" }).waitFor();
    await page.locator("#chart").focus();
    await page.keyboard.press("Home");
    await page.locator(".tip", { hasText: /^Thu, Jan 2, 2025 / }).waitFor();
    await page.keyboard.press("End");
    await page.locator(".tip", { hasText: /^Thu, Jan 1/ }).waitFor();
    const tooWide = await page.evaluate(() =>
      document.documentElement.scrollWidth - document.documentElement.clientWidth
    );
    assert.equal(tooWide, 0, "nothing has to be scrolled sideways");
  }, { viewport: { width: 360, height: 740 }, ...UTC });
});

serverTest("the counts of the chart can be had as CSV", ["chromium"], async () => {
  await look(views(), async ({ page }) => {
    await title(page, "Events per hour");
    const csv = async () =>
      new URL(await page.locator("#csv").evaluate((link: HTMLAnchorElement) => link.href));
    const { pathname, searchParams } = await csv();
    assert.equal(pathname, "/api/aggregates");
    assert.deepEqual([...searchParams], [
      ["from", "2025-12-31T12:00:00.000Z"],
      ["to", "2026-01-01T12:00:00.000Z"],
      ["step", "1h"],
      ["lottery", "mega_draw"],
      ["event_type", "clicked"],
      ["format", "csv"],
    ]);
    const downloads = page.waitForEvent("download");
    await page.locator("#csv").click();
    assert.match((await downloads).suggestedFilename(), /\.csv$/);
    await page.locator("#legend button", { hasText: "pay" }).click();
    await eventually(async () => !(await csv()).searchParams.has("event_type"));
  }, { search: "?lottery=mega_draw&range=24h&off=pay", ...UTC });
});
