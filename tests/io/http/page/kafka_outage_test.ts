/// <reference lib="dom" />
/** The page of a real worker during an outage of Kafka, in a real browser. */

import assert from "node:assert/strict";
import { openPage, sharedBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { FaultStand } from "../../../support/fault_stand.ts";
import { freePort } from "../../../support/free_port.ts";
import { serverTest } from "../../../support/servers.ts";
import { Program } from "../../../support/worker_process.ts";

const browser = sharedBrowser();

serverTest(
  "a page shows at once that Kafka is down, even on a worker that starts then, and when it is back",
  ["java", "kafka", "postgres", "chromium"],
  async () => {
    await using stand = await FaultStand.open({ ownsBroker: true });
    await using worker = await stand.startWorker({
      ...stand.env(),
      HTTP_PORT: String(freePort()),
    });
    const [, url] = await worker.printed(/Page on (http:[^ ]+\/),/);
    await stand.produce(1_000);
    await using visit = await openPage(await browser(), url!);
    const { page } = visit;
    const shows = (place: string, text: string | RegExp) =>
      page.locator(place, { hasText: text }).waitFor();
    await shows("#tile-events .value", /^9\d\d$/);
    await shows("#tile-lag .value", /^0$/);
    await shows("#state-worker", "reading 4 of 4 partitions");

    stand.broker!.kill();
    await shows("#connection", "Waiting for Kafka");
    await shows("#notices .bad", "Kafka does not answer");
    await shows("#tile-lag .value", "unknown");
    await shows("#state-worker", "waiting for Kafka");
    const status = await (await fetch(`${url}api/status`)).json();
    assert.equal(status.source.state, "down");
    assert.equal(status.all_workers.lag_records, null);
    assert.ok(
      status.all_workers.partitions.every(({ end_offset }: { end_offset: unknown }) =>
        end_offset === null
      ),
    );
    await eventually(async () => {
      const metrics = await (await fetch(`${url}metrics`)).text();
      return !/^lottery_consumer_lag{/m.test(metrics);
    });

    await using late = await Program.start(["start"], {
      env: { ...stand.env(), HTTP_PORT: String(freePort()) },
    });
    const [, lateUrl] = await late.printed(/Page on (http:[^ ]+\/),/);
    await using other = await openPage(await browser(), lateUrl!);
    await other.page.locator("#connection", { hasText: "Waiting for Kafka" }).waitFor();
    await other.page.locator("#state-worker", { hasText: "waiting for Kafka" }).waitFor();
    await other.page.locator("#tile-lag .value", { hasText: "unknown" }).waitFor();
    await other.page.locator("#tile-events .value", { hasText: /^9\d\d$/ }).waitFor();

    await stand.broker!.restart();
    await stand.produce(1_000);
    for (const { page } of [visit, other]) {
      await page.locator("#connection", { hasText: "Live" }).waitFor({ timeout: 60_000 });
      await page.locator("#tile-events .value", { hasText: /^1,9\d\d$/ }).waitFor();
      await page.locator("#tile-lag .value", { hasText: /^0$/ }).waitFor();
      await page.locator("#notices").waitFor({ state: "hidden" });
    }
  },
);
