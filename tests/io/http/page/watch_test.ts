/// <reference lib="dom" />
/** The last audit and lotteries that are quiet on the page, in a real browser. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { AuditNote } from "../../../../lib/core/audit/audit_note.ts";
import type { QuietLottery } from "../../../../lib/core/views/quiet.ts";
import { WorkerState } from "../../../../lib/observers/worker_state.ts";
import type { AnsweringOptions } from "../../../support/answering.ts";
import { sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { lookAt, NOON_MS, OVERVIEW, READY, VIEW } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";
import { AUDIT, QUIET } from "../../../support/watched.ts";

const look = lookAt(sharedBrowser());

const HOSTILE = "\u202e<img src=x onerror=alert(1)>\u0007" + "x".repeat(200);

/** A worker's answers that change while the page is open. */
function changing() {
  let [audit, quiet]: [AuditNote | null, readonly QuietLottery[]] = [null, []];
  // As old as it was at that time: the page goes by the clock.
  const agedMs = (atMs: number) => Date.now() - OVERVIEW.nowMs + atMs;
  return {
    set audit(note: AuditNote | null) {
      audit = note && { ...note, atMs: agedMs(note.atMs) };
    },
    set quiet(lotteries: readonly QuietLottery[]) {
      quiet = lotteries;
    },
    overview: () =>
      Promise.resolve({
        ...OVERVIEW,
        nowMs: Date.now(),
        audit,
        quiet: { total: quiet.length, listed: quiet.slice(0, 100) },
      }),
  };
}

async function badgeIs(page: Page, state: string, text: string): Promise<void> {
  await page.locator(`#audit[data-state="${state}"] summary`, { hasText: text }).waitFor();
}

async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth
  );
}

serverTest("a badge says when how many rows agreed, and whether that still holds", [
  "chromium",
], async () => {
  const answers = changing();
  await look({ ...READY, overview: answers.overview }, async ({ page }) => {
    await page.locator("#tile-events .value", { hasText: "1,234,567" }).waitFor();
    assert.ok(await page.locator("#audit").isHidden(), "nobody audits");
    answers.audit = AUDIT;
    await badgeIs(page, "up", "1,064 rows recounted, all agree · 4 min ago");
    answers.audit = { ...AUDIT, verdict: "not provable", notProvable: 12 };
    await badgeIs(page, "up", "1,064 rows recounted, all agree, 12 not provable · 4 min ago");
    answers.audit = { ...AUDIT, verdict: "incomplete" };
    await badgeIs(page, "warn", "all agree, but a part of the topic is in no count · 4 min ago");
    const atMs = OVERVIEW.nowMs - 2 * AUDIT.roundMs - 60_000;
    answers.audit = { ...AUDIT, atMs };
    await badgeIs(page, "warn", "all agree · 31 min ago · overdue: the next audits are missing");
    answers.audit = { ...AUDIT, rows: 1, verdict: "wrong", wrong: 1_200, firstWrong: ["a"], atMs };
    await badgeIs(page, "down", "1,200 wrong, 1 row agrees · 31 min ago · overdue");
    answers.audit = null; // the tables are new
    await page.locator("#audit").waitFor({ state: "hidden" });
  });
});

serverTest("the rows that are wrong are listed by keyboard and finger, as text", [
  "chromium",
], async () => {
  const answers = changing();
  answers.audit = {
    ...AUDIT,
    verdict: "wrong",
    wrong: 3,
    firstWrong: ["Window 2026-01-01 11:59:00Z, mega_draw, pay: stored 43, recounted 36", HOSTILE],
  };
  for (const colorScheme of ["light", "dark"] as const) {
    await look({ ...READY, overview: answers.overview }, async ({ page }) => {
      await badgeIs(page, "down", "3 wrong, 1,064 rows agree");
      const list = page.locator("#audit li");
      assert.ok(await list.first().isHidden());
      await page.locator("#span").focus();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await list.first().waitFor();
      const [first, hostile, rest] = await list.allTextContents();
      assert.equal(first, "Window 2026-01-01 11:59:00Z, mega_draw, pay: stored 43, recounted 36");
      assert.ok(hostile!.startsWith("\\u{202e}<img src=x onerror=alert(1)>\\u{7}xxx"));
      assert.equal(rest, "and 1 more");
      await page.locator("#audit p", { hasText: "321,835 records were read again in 2.5 s" })
        .waitFor();
      assert.equal(await overflow(page), 0, "nothing has to be scrolled sideways");
      await page.keyboard.press("Enter");
      await list.first().waitFor({ state: "hidden" });
      await page.locator("#audit summary").tap();
      await list.first().waitFor();
    }, { colorScheme, hasTouch: true, viewport: { width: 360, height: 740 } });
  }
});

serverTest("a quiet lottery is listed with what it should have, and a click shows it alone", [
  "chromium",
], async () => {
  const answers = changing();
  const asked: string[] = [];
  const view: AnsweringOptions["view"] = ({ lotteryNames }) => {
    asked.push(lotteryNames.join());
    return Promise.resolve(VIEW);
  };
  await look({ ...READY, view, overview: answers.overview }, async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    assert.ok(await page.locator("#quiet").isHidden());
    const hostile = { ...QUIET, lotteryName: HOSTILE, weeks: 1, quietSinceMs: NOON_MS };
    answers.quiet = [QUIET, { ...hostile, eventType: "\u0000register" }];
    const rows = page.locator("#quiet li");
    await rows.nth(1).waitFor();
    assert.deepEqual(await rows.first().locator("span").allTextContents(), [
      ...[
        "mega_draw",
        "pay",
        "since Jan 1, 2026, 11:20",
        "2 of 1,140 expected events, by the last 4 weeks",
      ],
    ]);
    const [name, type, , events] = await rows.nth(1).locator("span").allTextContents();
    assert.ok(name!.startsWith("\\u{202e}<img src=x"));
    assert.deepEqual([type, events], [
      "\\u{0}register",
      "2 of 1,140 expected events, by the last week",
    ]);
    assert.equal(await overflow(page), 0);

    const button = rows.first().locator("button");
    await button.click();
    await page.waitForURL(/\?lottery=mega_draw$/);
    assert.equal(await button.getAttribute("aria-pressed"), "true");
    await eventually(() => asked.includes("mega_draw"));
    await page.locator("#chips", { hasText: "mega_draw" }).waitFor();
    await button.click();
    await page.waitForURL(/\/$/);

    answers.quiet = Array.from({ length: 150 }, (_, at) => ({ ...QUIET, lotteryName: `no ${at}` }));
    await page.locator("#quiet-note", { hasText: "and 140 more" }).waitFor();
    assert.equal(await rows.count(), 10);
    answers.quiet = [];
    await page.locator("#quiet").waitFor({ state: "hidden" });
  }, { timezoneId: "UTC", viewport: { width: 390, height: 844 } });
});

serverTest("books that do not balance are a notice, until they do", ["chromium"], async () => {
  const state = new WorkerState();
  await look({ ...READY, state }, async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    assert.ok(await page.locator("#notices").isHidden());
    state.booksDifference = 1;
    await page.locator("#notices .bad", { hasText: "the hours have 1 event fewer than" }).waitFor();
    state.booksDifference = -1_500;
    await page.locator("#notices .bad", { hasText: "1,500 events more than were counted" })
      .waitFor();
    state.booksDifference = 0;
    await page.locator("#notices").waitFor({ state: "hidden" });
  });
});
