import assert from "node:assert/strict";
import type { ViewChoice } from "../../../lib/core/views/window_view.ts";
import { EventStream } from "../../../lib/io/http/event_stream.ts";
import { Live, type LiveOptions } from "../../../lib/io/http/live.ts";
import { eventually } from "../../support/eventually.ts";
import { ServerEvents } from "../../support/server_events.ts";

const ALL: ViewChoice = { range: "15m", lotteryNames: [], zone: "UTC" };

/** Live updates, and how often their sources were polled. */
function stand(options: Partial<LiveOptions> = {}) {
  const polls = { status: 0, views: [] as string[] };
  const live = new Live({
    status: () => Promise.resolve({ polls: ++polls.status }),
    view: ({ lotteryNames }) => {
      polls.views.push(lotteryNames.join() || "all");
      return Promise.resolve({ lotteryNames, polls: polls.views.length });
    },
    tickMs: 5,
    ...options,
  });
  return { polls, live };
}

Deno.test("a stream sends status and counts at once, and every change", async () => {
  const { live } = stand();
  using _live = live;
  const response = live.open({ ...ALL, lotteryNames: ["mega_draw"] });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  await using events = new ServerEvents(response);
  assert.deepEqual((await events.next("counts")).lotteryNames, ["mega_draw"]);
  const { polls } = await events.next("status");
  assert.ok((await events.next("status")).polls > polls);
});

Deno.test("each source is polled once a tick for all pages, which get the same bytes", async () => {
  const ticks = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  let [polls, views] = [0, 0];
  using live = new Live({
    status: async () => {
      const tick = ticks[polls++];
      await (tick ? tick.promise : new Promise(() => {}));
      return { tick: polls };
    },
    view: () => Promise.resolve({ views: ++views }),
    tickMs: 1,
  });
  const streams = Array.from({ length: 200 }, () => live.open(ALL));
  const readers = streams.map(({ body }) => body!.getReader());
  const first = new Set<Uint8Array>();
  for (const [at, tick] of ticks.entries()) {
    tick.resolve();
    await eventually(() => polls === at + 2); // the next poll waits for us
  }
  assert.equal(polls, 4, "one more than was answered");
  for (const reader of readers) {
    const seen: string[] = [];
    while (!seen.at(-1)?.includes('"status"') && !seen.at(-1)?.startsWith("event: status")) {
      const { value } = await reader.read();
      seen.push(new TextDecoder().decode(value));
      if (seen.at(-1)!.startsWith("event: status")) first.add(value!);
    }
  }
  assert.equal(first.size, 1, "encoded once");
});

Deno.test("pages share a view, and each view is polled separately", async () => {
  const { polls, live } = stand({ tickMs: 1_000_000 });
  using _live = live;
  const hour = { fromMs: 0, toMs: 3_600_000 };
  const choices: Partial<ViewChoice>[] = [
    {},
    { lotteryNames: ["a"] },
    { lotteryNames: ["a", "b"] },
    { range: "1y", lotteryNames: ["b"] },
    { range: "1y", lotteryNames: ["b"], zone: "Europe/Berlin" },
    { range: hour, lotteryNames: ["c"] },
    { range: { ...hour, toMs: 1 }, lotteryNames: ["c"] },
  ];
  for (const choice of [...choices, ...structuredClone(choices)]) live.open({ ...ALL, ...choice });
  await eventually(() => polls.views.length === choices.length);
  assert.deepEqual(polls.views.toSorted(), ["a", "a,b", "all", "b", "b", "c", "c"]);
});

Deno.test("nothing is polled while no page is open", async () => {
  const { polls, live } = stand();
  using _live = live;
  const response = live.open(ALL);
  const reader = response.body!.getReader();
  await eventually(() => polls.status > 2);
  await reader.cancel();
  const { status } = polls;
  // A page that opens then gets a new answer, not the old one.
  await using events = new ServerEvents(live.open(ALL));
  assert.deepEqual(await events.next("status"), { polls: status + 1 });
});

Deno.test("a slow client misses events, and one that does not read is disconnected", async () => {
  let ended = 0;
  const stream = new EventStream(() => ended++);
  const event = (n: number) => new TextEncoder().encode(`event: n\ndata: ${n}\n\n`);
  for (let n = 0; n < 30; n++) stream.send(event(n));
  const events = new ServerEvents(stream.response);
  assert.equal(await events.next("n"), 0);
  assert.equal(await events.next("n"), 1);
  assert.equal(await events.next("n"), 2);
  stream.send(event(30));
  assert.equal(await events.next("n"), 30, "what came meanwhile is left out");
  for (let n = 0; n < 100; n++) stream.send(event(n));
  assert.equal(ended, 1);
  await assert.rejects(async () => {
    while (await events.next("n") !== null);
  });
});

Deno.test("a source that fails is polled again, and the other one is not affected", async () => {
  let tries = 0;
  const { live } = stand({
    view: () => ++tries < 3 ? Promise.reject(new Error("away")) : Promise.resolve({ tries }),
  });
  using _live = live;
  await using events = new ServerEvents(live.open(ALL));
  assert.deepEqual(await events.next("counts"), { tries: 3 });
});

Deno.test("streams and different views are limited", () => {
  const { live } = stand();
  using _live = live;
  for (let view = 0; view < 30; view++) live.open({ ...ALL, lotteryNames: [`lottery ${view}`] });
  assert.throws(() => live.open(ALL), /30 different lotteries and ranges/);
  for (let n = 30; n < 500; n++) live.open({ ...ALL, lotteryNames: ["lottery 1"] });
  assert.throws(() => live.open({ ...ALL, lotteryNames: ["lottery 1"] }), /500 pages/);
});

Deno.test("the end of the worker ends all streams at once, and no new one opens", async () => {
  const { live } = stand();
  const streams = Array.from({ length: 10 }, () => new ServerEvents(live.open(ALL)));
  live[Symbol.dispose]();
  for (const stream of streams) {
    while (await stream.next("status") !== null);
  }
  assert.throws(() => live.open(ALL), /shutting down/);
});
