/// <reference lib="dom" />
/** The dead letters of the page, in a real browser. */

import assert from "node:assert/strict";
import { replayCommand } from "../../../../lib/io/http/page/parts/letter_reasons.js";
import type { ReasonsQuery } from "../../../../lib/io/postgres/queries/dead_letter_reasons.ts";
import { sharedBrowser } from "../../../support/browser.ts";
import { lookAt, MINUTE_MS, NOON_MS, READY } from "../../../support/page_stand.ts";
import { serverTest } from "../../../support/servers.ts";

const look = lookAt(sharedBrowser());

Deno.test("a replay command has the reason, when its letters were received, and how many", () => {
  const received = { fromMs: NOON_MS + 400, toMs: NOON_MS + MINUTE_MS + 1 };
  assert.equal(
    replayCommand("not_json", 7, received),
    "deno task dead-letters replay --reason not_json --since 2026-01-01T12:00:00Z " +
      "--until 2026-01-01T12:01:01Z --limit 7 --dry-run",
  );
  assert.equal(
    replayCommand("timestamp_in_seconds", 1, { ...received, toMs: null }),
    "deno task dead-letters replay --reason timestamp_in_seconds --since 2026-01-01T12:00:00Z " +
      "--limit 1 --set timestamp=seconds --dry-run",
  );
  assert.equal(replayCommand("$(reboot)", 1, received), null, "nothing that a shell would run");
});

serverTest("dead letters are shown by reason over the range, with how to replay them", [
  "chromium",
], async () => {
  const asked: ReasonsQuery[] = [];
  const bar = (minute: number, reasons: Record<string, number>) => ({
    startMs: NOON_MS + minute * MINUTE_MS,
    endMs: NOON_MS + (minute + 1) * MINUTE_MS,
    reasons: new Map(Object.entries(reasons)),
  });
  const reasons = (query: ReasonsQuery) => {
    asked.push(query);
    return Promise.resolve({
      bars: [bar(0, { not_json: 2 }), bar(1, {}), bar(2, { not_json: 1, event_type_missing: 4 })],
      totals: [
        { reason: "event_type_missing", records: 4, replayed: 4 },
        { reason: "not_json", records: 3, replayed: 1 },
      ],
    });
  };
  await look({ ...READY, reasons }, async ({ page }) => {
    await page.locator("#busiest li").first().waitFor();
    await page.locator("#show-letters").click();
    await page.waitForURL(/&letters=open$/);
    await page.locator("#reasons-note", { hasText: "7 received Jan 1, 12:00 – 12:03." }).waitFor();
    const [{ fromMs, toMs, stepSeconds }] = asked as [ReasonsQuery];
    assert.deepEqual([fromMs, toMs, stepSeconds], [NOON_MS, NOON_MS + 3 * MINUTE_MS, 60]);
    const heights = await page.locator(".reason-bars span").evaluateAll((bars) =>
      bars.map((bar) => [...bar.children].map((part) => (part as HTMLElement).style.height))
    );
    assert.deepEqual(heights, [["40%"], [], ["20%", "80%"]]);
    const items = page.locator(".reasons li");
    assert.match(await items.nth(0).innerText(), /^event_type_missing\s+4\s+4 replayed$/);
    assert.match(await items.nth(1).innerText(), /^not_json\s+3\s+1 replayed\s+deno task/);
    const command = "deno task dead-letters replay --reason not_json " +
      "--since 2026-01-01T12:00:00Z --until 2026-01-01T12:03:00Z --limit 2 --dry-run";
    assert.equal(await items.nth(1).locator("code").innerText(), command);
    await page.getByRole("button", { name: "Copy the command" }).click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);

    await page.keyboard.press("Escape");
    await page.locator("#letters").waitFor({ state: "hidden" });
    assert.ok(!new URL(page.url()).searchParams.has("letters"));
    await page.goBack({ waitUntil: "commit" });
    await page.locator("#letters").waitFor();
  }, {
    search: "?from=2026-01-01T12:00:00Z&to=2026-01-01T12:03:00Z",
    timezoneId: "UTC",
    permissions: ["clipboard-read", "clipboard-write"],
  });
});

serverTest("the dialog says when no letters were received, and when they cannot be read", [
  "chromium",
], async () => {
  await look(READY, async ({ page }) => {
    await page.locator("#reasons-note", { hasText: "None received in the last hour." }).waitFor();
    await page.locator("#letters-note", { hasText: "every record was a valid event" }).waitFor();
  }, { search: "?range=1h&letters=open" });

  const away = () => Promise.reject(new Error("away"));
  await look({ ...READY, reasons: away }, async ({ page, errors }) => {
    await page.locator("#reasons-note", { hasText: "PostgreSQL does not answer." }).waitFor();
    await page.locator("#letters-note", { hasText: "every record was a valid event" }).waitFor();
    assert.equal(errors.length, 1); // the browser's own line about the 503
    (errors as string[]).length = 0;
  }, { search: "?letters=open" });
});
