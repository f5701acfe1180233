/** The notices of the page; they need no browser. */

import assert from "node:assert/strict";
import type { StatusJson, ViewJson } from "../../../../lib/io/http/api.ts";
import { aboutText } from "../../../../lib/io/http/page/parts/about.js";
import { noticesOf } from "../../../../lib/io/http/page/parts/notices.js";

type PageState = Parameters<typeof noticesOf>[0];

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

function texts(state: Partial<PageState>): string[] {
  return noticesOf({
    connection: "live",
    refusal: null,
    status: status(),
    view: { lottery_names: ["mega_draw"] } as unknown as ViewJson,
    choice: { range: "1h", lotteries: [] },
    known: new Map(),
    problems: [],
    ...state,
  }).map(({ isBad, text }) => `${isBad ? "!" : ""}${text}`);
}

Deno.test("there are no notices when all is well", () => {
  assert.deepEqual(texts({}), []);
  assert.deepEqual(texts({ status: null, view: undefined, connection: "connecting" }), []);
});

Deno.test("each system that does not answer has a notice", () => {
  const [kafka, postgres, ...others] = texts({
    status: status({ source: "down", postgresql: "down" }),
  });
  assert.match(kafka!, /^!Kafka does not answer\. Nothing is lost/);
  assert.match(postgres!, /^!PostgreSQL does not answer\. Nothing is lost/);
  assert.deepEqual(others, []);
});

Deno.test("when the worker does not answer, notices of its last status go", () => {
  const state = { connection: "disconnected" as const, status: status({ source: "down" }) };
  assert.deepEqual(texts(state), ["!The worker does not answer. This page keeps trying."]);
  assert.deepEqual(texts({ ...state, refusal: "500 pages are already open. Try again later." }), [
    "!500 pages are already open. Try again later.",
  ]);
});

Deno.test("partitions that no worker counts are reported with who holds them", () => {
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

Deno.test("a lottery without events is distinguished from one that does not exist", () => {
  const choice = { range: "1h" as const, lotteries: ["mega_draw", "nope"] };
  assert.deepEqual(texts({ choice: { ...choice, lotteries: ["mega_draw"] } }), []);
  for (const known of [new Map(), new Map([["nope", true]])]) {
    assert.deepEqual(texts({ choice, known }), ["“nope” has no events in the last hour."]);
  }
  const span = { fromMs: 1, toMs: 2 };
  assert.deepEqual(texts({ choice: { ...choice, range: span } }), [
    "“nope” has no events in this range.",
  ]);
  assert.deepEqual(texts({ choice, known: new Map([["nope", false]]) }), [
    "!No lottery is named “nope”.",
  ]);
  assert.deepEqual(texts({ choice: { ...choice, lotteries: ["a", "b"] } }), [
    "“a” has no events in the last hour.",
    "“b” has no events in the last hour.",
  ]);
  assert.deepEqual(texts({ choice, view: null }), [
    "No events yet. Counts appear here with the first commit.",
  ]);
});

Deno.test("the page names its topic, or the demo", () => {
  const about = (demo: StatusJson["demo"]) => aboutText({ demo, topic: "user-events" });
  const jackpot = { lottery_name: "mega_draw", millions: 16 };
  assert.equal(about(null), "topic user-events");
  const calm = { speed: 1, jackpot: null, chaos: null };
  assert.equal(about({ ...calm, speed: null }), "events from a file");
  assert.equal(about(calm), "generated events");
  assert.equal(
    about({ ...calm, speed: 60, jackpot }),
    "generated events, event time runs at 60× speed, 16 million jackpot at mega_draw",
  );
  const chaos = { survived: 0, last: null, of: null };
  assert.equal(about({ ...calm, chaos }), "generated events, faults begin");
  const survived = (survived: number, of: number | null) =>
    about({ ...calm, chaos: { survived, last: "a commit was lost", of } });
  assert.equal(survived(1, null), "generated events, 1 fault survived, all rows agree");
  assert.equal(survived(37, null), "generated events, 37 faults survived, all rows agree");
  assert.equal(survived(37, 100), "generated events, 37 of 100 faults survived, all rows agree");
});
