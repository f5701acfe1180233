/// <reference lib="dom" />
/** The page in a real browser, in the states that a worker may be in. */

import assert from "node:assert/strict";
import { UnavailableError } from "../../../../lib/core/failure.ts";
import type { DemoStatus } from "../../../../lib/io/http/pipeline_status.ts";
import { WorkerState } from "../../../../lib/observers/worker_state.ts";
import type { AnsweringOptions } from "../../../support/answering.ts";
import { sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { lookAt, NOON_MS, OVERVIEW, READY, VIEW } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";
import { commitOf } from "../../../support/sink_contract.ts";

const look = lookAt(sharedBrowser());

const AWAY = new UnavailableError("away");

serverTest(
  "the page shows the worker's numbers on screens of any size and kind",
  ["chromium"],
  async () => {
    await look(READY, async ({ page }) => {
      await page.locator("#tile-events .value", { hasText: "1,234,567" }).waitFor();
      await page.locator("#state-window p", { hasText: "11:59 – 12:01 · current 12:00" }).waitFor();
      assert.equal(await page.locator("#state-window progress").getAttribute("value"), "0.25");
      const row = page.locator("#window-current tbody tr", { hasText: "mega_draw" });
      await row.waitFor();
      assert.deepEqual(
        await row.locator("td").allTextContents(),
        ["47", "40", "7"],
      );
      await page.locator("#window-current", { hasText: "Jan 1, 2026, 12:00 – 12:01" }).waitFor();
      await page.locator("#window-closed", { hasText: "No closed window yet" }).waitFor();
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
  const view: AnsweringOptions["view"] = ({ range, lotteryNames }) => {
    asked.push(`${range} ${lotteryNames}`);
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
    for (let tab = 0; tab < 10; tab++) {
      await page.keyboard.press("Tab");
      order.push(await focused() ?? undefined);
    }
    assert.deepEqual(order.slice(1), [
      ...["lottery", "range", "span", "show-letters", "csv", "legend", "legend", "chart"],
      "busiest",
    ]);
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

serverTest("the page says what it is waiting for", ["chromium"], async () => {
  await look({}, async ({ page }) => {
    await page.locator("#notices", { hasText: "No events yet" }).waitFor();
    await page.locator("#state-source", { hasText: "not checked yet" }).waitFor();
    assert.ok(await page.locator(".charts").isHidden());
    await page.locator("#show-letters").click();
    await page.locator("#letters", { hasText: "every record was a valid event" }).waitFor();
  });

  const worker = new WorkerState();
  let isAway = true;
  const orAway = <T>(value: T) =>
    isAway ? Promise.reject(new Error("away")) : Promise.resolve(value);
  const options = { state: worker, overview: () => orAway(OVERVIEW), view: () => orAway(VIEW) };
  await look(options, async ({ page }) => {
    worker.failed("source", AWAY);
    await page.locator("#notices", { hasText: "PostgreSQL does not answer" }).waitFor();
    await page.locator("#state-source", { hasText: "down for" }).waitFor();
    worker.answered("source");
    isAway = false;
    await page.locator("#notices").waitFor({ state: "hidden" });
    await page.locator("#state-source p", { hasText: /^up$/ }).waitFor();
    await page.locator("#busiest button", { hasText: "mega_draw" }).waitFor();
  });
});

serverTest("an outage of Kafka is as clear as one of PostgreSQL", ["chromium"], async () => {
  const worker = new WorkerState();
  const answered = () => {
    for (const system of ["source", "group", "commit"] as const) worker.answered(system);
    worker.ranges(new Map([[0, { startOffset: 0, endOffset: 90 }]]));
  };
  worker.assigned([0]);
  answered();
  const partition = {
    partition: 0,
    nextOffset: 90,
    maxEventTimeMs: NOON_MS,
    committedAtMs: Date.now(),
    caughtUpAtMs: null,
  };
  const overview = () => {
    if (worker.systemState("Kafka").state === "up") answered(); // again and again, as a worker does
    return Promise.resolve({ ...OVERVIEW, partitions: [partition] });
  };
  await look({ ...READY, state: worker, overview }, async ({ page }) => {
    const shows = (place: string, text: string | RegExp) =>
      page.locator(place, { hasText: text }).waitFor();
    const opacity = () =>
      page.locator(".tiles").evaluate((tiles) => Number(getComputedStyle(tiles).opacity));
    await shows("#connection", "Live");
    await shows("#tile-lag .value", /^0$/);
    await shows("#state-worker", "reading 1 of 1 partition");
    assert.equal(await opacity(), 1);
    for (const system of ["source", "group"] as const) {
      worker.failed(system, AWAY);
      await shows("#connection", "Waiting for Kafka");
      await shows("#notices .bad", /Kafka does not answer.*Nothing is lost.*lag is unknown/);
      await shows("#tile-lag", /unknown\s+until Kafka answers/);
      await shows("#state-source", "down for");
      await shows("#state-window", "open until Kafka answers");
      await shows("#state-worker", "waiting for Kafka");
      assert.ok(await opacity() < 1);
      answered();
      await shows("#connection", "Live");
      await shows("#tile-lag .value", /^0$/);
      await page.locator("#notices").waitFor({ state: "hidden" });
      assert.equal(await opacity(), 1);
    }
    worker.failed("group", AWAY);
    worker.failed("commit", AWAY);
    await shows("#connection", "Waiting for Kafka and PostgreSQL");
    await eventually(async () => await page.locator("#notices .bad").count() === 2);
  }, { reducedMotion: "reduce" });
});

serverTest("a demo is labelled, with the speed of its event time, and what it has survived", [
  "chromium",
], async () => {
  let demo: DemoStatus = { speed: 60, jackpot: null, chaos: null };
  await look({ ...READY, demo: () => demo }, async ({ page }) => {
    await page.locator("#demo", { hasText: "Demo" }).waitFor();
    await page.getByText("generated events, event time runs at 60× speed").waitFor();
    demo = { speed: 1, jackpot: { lotteryName: "mega_draw", millions: 16 }, chaos: null };
    await page.getByText("generated events, 16 million jackpot at mega_draw").waitFor();
    demo = { speed: 1, jackpot: null, chaos: { survived: 37, last: "a commit was lost", of: 100 } };
    await page.getByText("generated events, 37 of 100 faults survived, all rows agree").waitFor();
    demo = { speed: null, jackpot: null, chaos: null };
    await page.getByText("events from a file").waitFor();
  });
  await look(READY, async ({ page }) => {
    await page.getByText("topic user-events").waitFor();
    assert.ok(await page.locator("#demo").isHidden());
  });
});

serverTest("only full windows are compared with the one before", [
  "chromium",
], async () => {
  const closed = {
    startMs: NOON_MS - 2 * 60_000,
    events: [[40, 7, 0], [0, 1, 0], [0, 0, 0]],
    eventsBefore: [[30, 9, 0], [0, 1, 0], [0, 0, 0]],
    eventsWeekAgo: null,
  };
  await look({ ...READY, view: () => Promise.resolve({ ...VIEW, closed }) }, async ({ page }) => {
    const cells = (window: string) =>
      page.locator(`#window-${window} tbody tr`, { hasText: "mega_draw" }).locator("td")
        .allTextContents();
    await page.locator("#window-closed tbody tr").first().waitFor();
    assert.deepEqual(await cells("closed"), ["47+8", "40+10", "7−2"]);
    assert.deepEqual(await cells("current"), ["47", "40", "7"]);
    await page.locator("#window-closed", { hasText: "with change from the window before" })
      .waitFor();
  });
});

serverTest(
  "no number is cut off, however large, on a screen of any width",
  ["chromium"],
  async () => {
    const worker = new WorkerState();
    const hourAgo = Date.now() - 21 * 60_000;
    worker.committed(
      commitOf([[0, 0, 5]], { batchTimestampsMs: [hourAgo, hourAgo - 3_600_000 * 30] }),
    );
    const overview = () =>
      Promise.resolve({
        ...OVERVIEW,
        events: 999_999_999_999,
        deadLetters: 999_999_999_999,
      });
    await look({ ...READY, state: worker, overview }, async ({ page }) => {
      await page.locator("#tile-latency .value", { hasText: /d/ }).waitFor();
      for (const width of [320, 360, 640, 641, 1_080, 1_081, 1_280, 1_560]) {
        await page.setViewportSize({ width, height: 800 });
        const cut = await page.locator(".tile .value").evaluateAll((values) =>
          values.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
            .map(({ textContent }) => textContent)
        );
        assert.deepEqual(cut, [], `${width} pixels`);
      }
    });
  },
);
