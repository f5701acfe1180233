/// <reference lib="dom" />
/** Choosing lotteries on the page, in a real browser. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { lookAt, READY } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";

const look = lookAt(sharedBrowser());

const NAMES = ["mega_draw", "mega 100%", "<b>omega</b>", "rare_lottery", "\u202eturned"];

const SEARCHED = {
  ...READY,
  lotteries: ({ text, limit }: { readonly text: string; readonly limit: number }) =>
    Promise.resolve(NAMES.filter((name) => name.includes(text)).slice(0, limit)),
};

const options = (page: Page) => page.locator("#lottery-list [role=option]");

/** The option that a screen reader is told of. */
async function active(page: Page): Promise<string | null> {
  return await page.evaluate(() => {
    const id = document.querySelector("#lottery")!.getAttribute("aria-activedescendant");
    const option = id === null ? null : document.getElementById(id);
    return option?.ariaSelected === "true" ? option.textContent : null;
  });
}

async function isOpen(page: Page): Promise<boolean> {
  const box = page.locator("#lottery");
  const isExpanded = await box.getAttribute("aria-expanded") === "true";
  assert.equal(await page.locator("#lottery-popup").isVisible(), isExpanded);
  return isExpanded;
}

/** What the address has, and the page shows as chosen. */
async function areChosen(page: Page, ...names: readonly string[]): Promise<void> {
  await eventually(() => lotteriesIn(page).join("\n") === names.join("\n"));
  assert.deepEqual(
    await page.locator("#chips button").evaluateAll((chips) =>
      chips.map(({ ariaLabel }) => ariaLabel)
    ),
    names.map((name) => `Remove ${name}`),
  );
}

const lotteriesIn = (page: Page) => new URL(page.url()).searchParams.getAll("lottery");

serverTest(
  "a lottery is found by part of its name, even one that the page does not show",
  ["chromium"],
  async () => {
    await look(SEARCHED, async ({ page }) => {
      await page.locator("#busiest li").first().waitFor();
      assert.equal(await isOpen(page), false);
      await page.locator("#lottery").pressSequentially("lotte");
      await page.locator("#lottery-note", { hasText: "1 lottery" }).waitFor();
      assert.equal(await active(page), "rare_lottery", "Enter takes the first");
      await page.keyboard.press("Enter");
      await areChosen(page, "rare_lottery");
      assert.equal(await page.locator("#lottery").inputValue(), "");
      assert.equal(await isOpen(page), false);
      await page.locator("#notices", { hasText: "“rare_lottery” has no events in the last 15" })
        .waitFor();
      await page.locator("#scope", { hasText: "tiles and the busiest lotteries cover all" })
        .waitFor();

      await page.locator("#lottery").fill("mega");
      await page.keyboard.press("Enter"); // before the list is there
      await areChosen(page, "rare_lottery", "mega_draw");
      await page.locator("#chart-note", { hasText: "rare_lottery + mega_draw" }).waitFor();
      await page.getByRole("button", { name: "Remove rare_lottery" }).click();
      await areChosen(page, "mega_draw");
      await page.locator("#notices").waitFor({ state: "hidden" });
    });
  },
);

serverTest(
  "the box works with arrows, Enter and Escape, like any combobox",
  ["chromium"],
  async () => {
    await look(SEARCHED, async ({ page }) => {
      await page.locator("#busiest li").first().waitFor();
      await page.locator("#lottery").focus();
      assert.equal(await isOpen(page), false, "passing by with Tab opens nothing");
      await page.keyboard.press("ArrowDown");
      await options(page).first().waitFor();
      assert.deepEqual(await options(page).allTextContents(), [
        "All lotteries",
        ...NAMES.slice(0, 4),
        "\\u{202e}turned",
      ]);
      assert.equal(await active(page), null);
      await page.keyboard.press("ArrowUp");
      assert.equal(await active(page), "\\u{202e}turned", "from the first to the last");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      assert.equal(await active(page), "mega_draw");
      await page.keyboard.press("Escape");
      assert.equal(await isOpen(page), false);
      await areChosen(page);

      await page.keyboard.press("ArrowDown");
      await options(page).first().waitFor();
      for (let step = 0; step < 4; step++) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await areChosen(page, "<b>omega</b>");
      await page.locator("#lottery").fill("something else");
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#lottery").inputValue(), "");
      await areChosen(page, "<b>omega</b>");

      await page.keyboard.press("ArrowDown");
      await options(page).first().waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await areChosen(page);
      assert.ok(await page.locator("#scope").isHidden());
    });
  },
);

serverTest(
  "the box works by touch, and closes when something else is touched",
  ["chromium"],
  async () => {
    await look(SEARCHED, async ({ page }) => {
      await page.locator("#busiest li").first().waitFor();
      await page.locator("#lottery").tap();
      await options(page).nth(2).tap();
      await areChosen(page, "mega 100%");
      assert.equal(await isOpen(page), false);
      await page.locator("#lottery").tap();
      await options(page).first().waitFor();
      const list = (await page.locator("#lottery-popup").boundingBox())!;
      assert.ok(list.x >= 0 && list.x + list.width <= 360, "it fits on the screen");
      await page.locator("h1").tap();
      await page.locator("#lottery").blur();
      assert.equal(await isOpen(page), false);
      await areChosen(page, "mega 100%");
    }, { viewport: { width: 360, height: 740 }, hasTouch: true });
  },
);

serverTest("Enter waits for a running search, unless the box is left", [
  "chromium",
], async () => {
  let asked = Promise.withResolvers<void>();
  let answer = Promise.withResolvers<readonly string[]>();
  const lotteries = () => {
    asked.resolve();
    return answer.promise;
  };
  await look({ ...READY, lotteries }, async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    for (const [key, ...chosen] of [["Escape"], ["Enter", "mega_draw"]] as const) {
      [asked, answer] = [Promise.withResolvers(), Promise.withResolvers()];
      await page.locator("#lottery").fill("mega");
      await asked.promise;
      await areChosen(page);
      await page.keyboard.press("Enter");
      await page.keyboard.press(key);
      answer.resolve(["mega_draw"]);
      await eventually(async () => await isOpen(page) === false);
      await areChosen(page, ...chosen);
    }
  });
});

serverTest("the box says when no name matches, when there are more, and when the search fails", [
  "chromium",
], async () => {
  let isAway = false;
  const lotteries = ({ text }: { readonly text: string }) => {
    if (isAway) return Promise.reject(new Error("away"));
    return Promise.resolve(
      text === "x" ? [] : Array.from({ length: 21 }, (_, at) => `lottery ${at}`),
    );
  };
  await look({ ...READY, lotteries }, async ({ page, errors }) => {
    await page.locator("#busiest li").first().waitFor();
    const note = (text: string) => page.locator("#lottery-note", { hasText: text }).waitFor();
    await page.locator("#lottery").click();
    await note("There are more: type part of a name.");
    assert.equal(await options(page).count(), 21);
    await page.locator("#lottery").fill("x");
    await note("No lottery matches “x”.");
    assert.equal(await options(page).count(), 0);
    isAway = true;
    await page.locator("#lottery").fill("y");
    await note("PostgreSQL does not answer.");
    await eventually(() => errors.length === 1); // the browser's own line about the 503
    const asked = page.waitForResponse(/search=y/); // whether there is such a lottery
    await page.keyboard.press("Enter");
    await areChosen(page, "y");
    assert.equal((await asked).status(), 503);
    await eventually(() => errors.length === 2);
    (errors as string[]).length = 0;
  });
});

serverTest(
  "problems of the address are shown until something else is chosen",
  ["chromium"],
  async () => {
    await look(SEARCHED, async ({ page }) => {
      const notices = page.locator("#notices");
      await notices.getByText("Unknown range “7y”, showing the last 15 minutes").waitFor();
      await notices.getByText("Unknown parameter “colour” in the address").waitFor();
      await notices.getByText("No lottery is named “mega”.").waitFor();
      await page.getByText("1 h", { exact: true }).click();
      await page.waitForURL(/\?lottery=mega&range=1h$/);
      await notices.getByText("Unknown range").waitFor({ state: "detached" });
      await notices.getByText("No lottery is named “mega”").waitFor();
    }, { search: "?range=7y&lottery=mega&colour=red" });
  },
);
