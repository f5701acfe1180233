/// <reference lib="dom" />
/**
 * `deno task picture`: the pictures of the page that the README shows, of a demo that has run
 * for a good minute since it counted its past.
 * @module
 */

import { join } from "node:path";
import { launchBrowser, openPage } from "../tests/support/browser.ts";
import { eventually } from "../tests/support/eventually.ts";
import { freePort } from "../tests/support/free_port.ts";
import { Program } from "../tests/support/worker_process.ts";

const DIRECTORY = join(import.meta.dirname!, "..", ".github");
const SIZE = { width: 1280, height: 1080 };
/** By then the time when old events were counted all at once is out of the last minute. */
const WARM_UP_MS = 65_000;

await using demo = await Program.start(["demo"], { env: { HTTP_PORT: String(freePort()) } });
const [, url] = await demo.printed(/Page on (http:[^ ]+\/),/);
await using browser = await launchBrowser();
await eventually(async () => {
  const { all_workers } = await (await fetch(`${url}api/status`)).json();
  const { partitions = [], lag_records = null } = all_workers ?? {};
  return partitions.length > 0 && lag_records !== null && lag_records < 200;
});
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
const isHalfFull = () => document.querySelector("progress")!.value > 0.5;
for (const [name, colorScheme] of [["page", "light"], ["page-dark", "dark"]] as const) {
  await using visit = await openPage(browser, url!, {
    viewport: SIZE,
    colorScheme,
    reducedMotion: "reduce",
    timezoneId: "UTC",
  });
  const { page } = visit;
  await page.locator("#busiest li").first().waitFor();
  await page.locator("#tile-rate .value", { hasText: /\d/ }).waitFor();
  await page.locator("#tile-watermark .value", { hasText: "behind" }).waitFor();
  await page.waitForFunction(isHalfFull, null, { timeout: 60_000 });
  await Deno.mkdir(DIRECTORY, { recursive: true });
  const path = join(DIRECTORY, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);
}
demo.signal("SIGTERM");
await demo.exitCode();
