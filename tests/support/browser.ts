/**
 * A headless Chromium, and pages of it that keep what has gone wrong on them.
 */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { MAX_WAIT_MS } from "./eventually.ts";
import { which } from "./guarded_process.ts";

const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = await which("chromium");
  if (!executablePath) throw new Error("chromium is missing");
  // Or it looks, when it is loaded, into files of the kernel that a test may not read.
  Deno.env.set("__IS_WSL_TEST__", "true");
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath, headless: true, args: ARGS });
}

/** One browser for all tests of a file, because it takes a second to start. @returns how to get it. */
export function sharedBrowser(): () => Promise<Browser> {
  let browser: Browser | null = null;
  Deno.test.beforeAll(async () => {
    browser = await launchBrowser().catch(() => null);
  });
  Deno.test.afterAll(async () => await browser?.close());
  return async () => browser ?? await launchBrowser(); // which says why there is none
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
  context.setDefaultTimeout(MAX_WAIT_MS);
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
