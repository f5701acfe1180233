/**
 * A headless Chromium, and pages of it that keep what has gone wrong on them.
 */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { which } from "./guarded_process.ts";

const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

export async function launchBrowser(): Promise<Browser> {
  Deno.env.set("__IS_WSL_TEST__", "true");
  const { chromium } = await import("playwright-core");
  const executablePath = await which("chromium");
  return await chromium.launch({ executablePath: executablePath!, headless: true, args: ARGS });
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors on the console, which tells of what the policy has forbidden, too; and errors of scripts. */
  readonly errors: readonly string[];
  /** Hosts that were asked for anything. */
  readonly hosts: ReadonlySet<string>;
}

/** Opens the address as a new visitor; does not wait for what it loads, because the stream never ends. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("dialog", (dialog) => errors.push(`a dialog: ${dialog.message()}`));
  context.on("request", (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url, { waitUntil: "commit" });
  return { page, errors, hosts, [Symbol.asyncDispose]: () => context.close() };
}

/** The number that an element shows, however it is grouped. */
export async function numberIn(page: Page, selector: string): Promise<number> {
  return Number((await page.locator(selector).innerText()).replaceAll(",", ""));
}
