/** What the page says first; it needs no browser. */

import assert from "node:assert/strict";
import type { WindowView } from "../../../../lib/core/views/window_view.ts";
import type { StatusJson } from "../../../../lib/io/http/api.ts";
import { aboutText } from "../../../../lib/io/http/page/parts/about.js";
import { noticesOf } from "../../../../lib/io/http/page/parts/notices.js";

type Situation = Parameters<typeof noticesOf>[0];

const SINCE = "2026-01-31T12:00:00.000Z";

function status(
  states: { source?: string; postgresql?: string; problems?: readonly string[] } = {},
): StatusJson {
  const { source = "up", postgresql = "up", problems } = states;
  return {
    source: { name: "Kafka", state: source, since: SINCE },
    postgresql: { state: postgresql, since: SINCE, read_at: SINCE },
    all_workers: problems ? { problems } : null,
  } as unknown as StatusJson;
}

function texts(situation: Partial<Situation>): string[] {
  return noticesOf({
    connection: "live",
    refusal: null,
    status: status(),
    view: { lotteryNames: ["mega_draw"] } as unknown as WindowView,
    choice: { range: "1h", lotteryName: null },
    isLotteryKnown: null,
    problems: [],
    ...situation,
  }).map(({ isBad, text }) => `${isBad ? "!" : ""}${text}`);
}

Deno.test("nothing is said when all is well", () => {
  assert.deepEqual(texts({}), []);
  assert.deepEqual(texts({ status: null, view: undefined, connection: "connecting" }), []);
});

Deno.test("each system that does not answer is told", () => {
  const [kafka, postgres, ...others] = texts({
    status: status({ source: "down", postgresql: "down" }),
  });
  assert.match(kafka!, /^!Kafka does not answer\. Nothing is lost/);
  assert.match(postgres!, /^!PostgreSQL does not answer\. Nothing is lost/);
  assert.deepEqual(others, []);
});

Deno.test("who does not answer the page is told before all that it said", () => {
  const situation = { connection: "disconnected" as const, status: status({ source: "down" }) };
  assert.deepEqual(texts(situation), ["!The worker does not answer. This page waits for it."]);
  assert.deepEqual(texts({ ...situation, refusal: "500 pages look on already." }), [
    "!500 pages look on already.",
  ]);
});

Deno.test("partitions that no worker counts are told, with who has them", () => {
  const told = (problems: readonly string[]) => texts({ status: status({ problems }) });
  assert.deepEqual(told([]), []);
  assert.deepEqual(
    told(["partition 3 is not counted: no member has it", "other\u202e<b> has it"]),
    [
      "!Partition 3 is not counted: no member has it.",
      "!Other\\u{202e}<b> has it.",
    ],
  );
});

Deno.test("a lottery without events is told, and whether there is one of that name", () => {
  const choice = { range: "1h" as const, lotteryName: "nope" };
  assert.deepEqual(texts({ choice: { ...choice, lotteryName: "mega_draw" } }), []);
  for (const isLotteryKnown of [null, true]) {
    assert.deepEqual(texts({ choice, isLotteryKnown }), ["“nope” has no events in the last hour."]);
  }
  assert.deepEqual(texts({ choice, isLotteryKnown: false }), [
    "!There is no lottery called “nope” in the latest counts.",
  ]);
  assert.deepEqual(texts({ choice, view: null }), [
    "No events yet. Counts appear here with the first commit.",
  ]);
});

Deno.test("the page says of what it is", () => {
  const about = (demo: StatusJson["demo"]) => aboutText({ demo, topic: "user-events" });
  const jackpot = { lottery_name: "mega_draw", millions: 16 };
  assert.equal(about(null), "topic user-events");
  assert.equal(about({ speed: null, jackpot: null }), "events of a file");
  assert.equal(about({ speed: 1, jackpot: null }), "generated events");
  assert.equal(
    about({ speed: 60, jackpot }),
    "generated events, event time passes 60 times as fast, jackpot of 16 million at mega_draw",
  );
});
