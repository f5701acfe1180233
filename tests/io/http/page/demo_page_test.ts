/** The page in a real browser, on a real demo. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { numberIn, openPage, sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { freePort } from "../../../support/free_port.ts";
import { serverTest } from "../../../support/servers.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";
import { Program } from "../../../support/worker_process.ts";

const browser = sharedBrowser();

async function startDemo(args: readonly string[] = [], port = freePort()) {
  const program = await Program.start(["demo", ...args], { env: { HTTP_PORT: String(port) } });
  const [, url] = await program.printed(/Page on (http:[^ ]+\/),/);
  return Object.assign(program, { url: url! });
}

const EVENTS = "#tile-events .value";

/** Resolves when the number of events is above that. */
async function countsAbove(page: Page, events: number): Promise<void> {
  await eventually(async () => await numberIn(page, EVENTS) > events);
}

serverTest("counts appear and grow; filter and range are in the address, and survive a reload", [
  "chromium",
], async () => {
  await using demo = await startDemo();
  await using visit = await openPage(await browser(), demo.url);
  const { page, errors, hosts } = visit;
  await countsAbove(page, 0);
  await countsAbove(page, await numberIn(page, EVENTS));
  await page.locator("#busiest button", { hasText: "mega_draw" }).waitFor();
  await page.locator("#legend li", { hasText: "clicked" }).waitFor();
  await page.locator("#chart canvas").waitFor();
  await page.locator("#window-current th", { hasText: "mega_draw" }).waitFor();

  await page.locator("#busiest button", { hasText: "mega_draw" }).click();
  await page.getByText("1 h", { exact: true }).click();
  const isChosen = async () => {
    await page.locator("#chart-note", { hasText: "mega_draw" }).waitFor();
    assert.equal(await page.locator("#window-current tbody tr").count(), 1);
    await page.getByRole("button", { name: "Remove mega_draw" }).waitFor();
    assert.ok(await page.getByLabel("1 h").isChecked());
  };
  await page.waitForURL(`${demo.url}?lottery=mega_draw&range=1h`);
  await isChosen();
  await page.reload({ waitUntil: "commit" });
  await isChosen();

  await page.getByText("24 h", { exact: true }).click();
  await page.locator("#chart-title", { hasText: "Events per 15 minutes" }).waitFor();
  await page.goBack({ waitUntil: "commit" });
  await isChosen();
  await page.locator("#lottery").press("Backspace");
  await page.waitForURL(`${demo.url}?range=1h`);
  await eventually(async () => await page.locator("#window-current tbody tr").count() > 5);

  assert.deepEqual([...hosts], [new URL(demo.url).host], "nothing else is asked");
  assert.deepEqual(errors, []);
});

serverTest("a demo is labelled, and measures no latency over its generated past", [
  "chromium",
], async () => {
  await using demo = await startDemo(["--speed", "60"]);
  await using visit = await openPage(await browser(), demo.url);
  const { page } = visit;
  await countsAbove(page, 1_000);
  await page.locator("#demo").waitFor();
  await page.locator("#about", { hasText: "event time runs at 60× speed" }).waitFor();
  assert.equal(await page.locator("#tile-latency .value").innerText(), "–");
  const { demo: state, this_worker } = await (await fetch(`${demo.url}api/status`)).json();
  assert.deepEqual([state.speed, this_worker.latency_ms], [60, null]);
});

serverTest("the page tells how many faults were survived, and that all rows agree", [
  "chromium",
], async () => {
  await using demo = await startDemo(["--chaos", "--count", "1000000"]);
  await using visit = await openPage(await browser(), demo.url);
  const { page, errors } = visit;
  const survived = async () => {
    const text = await page.locator("#about").innerText();
    const [, faults] = text.match(/(\d+) of 1000000 faults? survived, all rows agree/) ?? [];
    return Number(faults ?? 0);
  };
  await eventually(async () => await survived() > 0);
  const before = await survived();
  await eventually(async () => await survived() > before);
  await page.locator("#audit", { hasText: /rows recounted, all agree/ }).waitFor();
  await countsAbove(page, await numberIn(page, EVENTS));
  assert.deepEqual(errors, []);
});

serverTest(
  "hostile names and dead letters are harmless, and shown as text",
  ["chromium"],
  async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "events.ndjson");
    const image = '<img src=x onerror="document.title=1;alert(1)">';
    const lines = [image, "</script><script>alert(2)</script>", "__proto__", "\u202eturned"]
      .map((name) => ({ lottery_name: name, event_type: image, timestamp: Date.now() }));
    const bad = { lottery_name: image, event_type: 7, [image]: "<b>bold</b>" };
    await Deno.writeTextFile(
      file,
      [...lines, bad].map((line) => JSON.stringify(line)).join("\n") + "\n",
    );
    await using demo = await startDemo(["--file", file]);
    await using visit = await openPage(
      await browser(),
      `${demo.url}?lottery=${encodeURIComponent(image)}`,
    );
    const { page, errors, hosts } = visit;
    await page.locator("#busiest .name", { hasText: image }).waitFor();
    await page.locator("#busiest .name", { hasText: "\\u{202e}turned" }).waitFor();
    await page.locator("#window-current tbody th", { hasText: image }).waitFor();
    await page.locator("#legend", { hasText: image }).waitFor();
    await page.locator("#chart").focus();
    await page.keyboard.press("End");
    await page.locator(".tip", { hasText: image }).waitFor();
    await page.locator("#show-letters").click();
    await page.locator("#letters pre", { hasText: "<b>bold</b>" }).waitFor();
    await page.locator("#letters .reason", { hasText: "event_type_not_text" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#letters").waitFor({ state: "hidden" });

    assert.equal(
      await page.locator("main img, dialog img, main script, dialog b:not(.reason)").count(),
      0,
    );
    assert.equal(await page.title(), "Lottery events");
    assert.deepEqual([...hosts], [new URL(demo.url).host]);
    assert.deepEqual(errors, []);
  },
);

serverTest(
  "the page says that the worker does not answer, and continues when it is back",
  ["chromium"],
  async () => {
    await using directory = await temporaryDirectory();
    const [args, port] = [["--data-dir", directory.path], freePort()] as const;
    await using first = await startDemo(args, port);
    await using visit = await openPage(await browser(), first.url);
    const { page } = visit;
    await countsAbove(page, 0);
    first.signal("SIGKILL");
    await first.exitCode();
    await page.locator("#connection", { hasText: "Disconnected, retrying" }).waitFor();
    await page.locator("#notices", { hasText: "The worker does not answer" }).waitFor();
    await page.locator("#age", { hasText: /Numbers from \d+ s ago/ }).waitFor();
    const before = await numberIn(page, EVENTS);

    await using second = await startDemo(args, port);
    await page.locator("#connection", { hasText: "Live" }).waitFor();
    await page.locator("#notices").waitFor({ state: "hidden" });
    await countsAbove(page, before);
    // The worker does not wait for open pages when it ends.
    second.signal("SIGTERM");
    assert.equal(await second.exitCode(), 0, second.stderr);
    await page.locator("#connection", { hasText: "Disconnected, retrying" }).waitFor();
  },
);
