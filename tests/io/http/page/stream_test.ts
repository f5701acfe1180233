/** The page in a real browser, at a server that has no stream for it. */

import { listen } from "../../../../lib/io/http/server/listen.ts";
import { answering } from "../../../support/answering.ts";
import { openPage, sharedBrowser } from "../../../support/browser.ts";
import { READY } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";

const browser = sharedBrowser();

serverTest(
  "the page says why the server refuses it, and continues when there is room",
  ["chromium"],
  async () => {
    using open = answering({ tickMs: 1_000, ...READY });
    await using server = listen(open.handle, { host: "127.0.0.1", port: 0 });
    const others = await Promise.all(
      Array.from({ length: 500 }, () => fetch(`${server.url}live`)),
    );
    await using visit = await openPage(await browser(), server.url);
    const { page } = visit;
    await page.locator("#notices", { hasText: "500 pages are already open." }).waitFor();
    await page.locator("#connection", { hasText: "Disconnected, retrying" }).waitFor();
    for (const { body } of others) await body!.cancel();
    await page.locator("#connection", { hasText: "Live" }).waitFor();
    await page.locator("#notices").waitFor({ state: "hidden" });
  },
);
