import assert from "node:assert/strict";
import { statusLine, type WorkerView } from "../../../lib/core/text/status_line.ts";

const COUNTING: WorkerView = {
  doing: "counting",
  away: [],
  eventsPerSecond: 1_203.6,
  events: 1_234_567,
  lagRecords: 12,
  commitAge: 0.2,
  note: null,
  address: "http://127.0.0.1:8000/",
};

function line(view: Partial<WorkerView>, columns = 200): string {
  return statusLine({ ...COUNTING, ...view }, { columns, hasColors: false });
}

const CASES: readonly (readonly [name: string, view: Partial<WorkerView>, line: string])[] = [
  [
    "rate, total, lag, age of the last commit and address",
    {},
    "1,204/s · 1,234,567 events · lag 12 · last commit just now · http://127.0.0.1:8000/",
  ],
  [
    "only what is known",
    { doing: "starting", events: 0, lagRecords: null, commitAge: null },
    "starting · 0 events · http://127.0.0.1:8000/",
  ],
  [
    "which system is waited for, and how long",
    { away: [{ system: "PostgreSQL", seconds: 11.5 }], lagRecords: 3_400, commitAge: 14 },
    "waiting for PostgreSQL, 12 s · 1,234,567 events · lag 3,400 · last commit 14 s ago · http://127.0.0.1:8000/",
  ],
  [
    "that both are waited for",
    {
      away: [{ system: "Kafka", seconds: 70 }, { system: "PostgreSQL", seconds: 5 }],
      lagRecords: null,
      commitAge: null,
    },
    "waiting for Kafka, 1 min 10 s, and for PostgreSQL, 5 s · 1,234,567 events · http://127.0.0.1:8000/",
  ],
  [
    "that it stands by",
    { doing: "standing by", lagRecords: 0, commitAge: null },
    "standing by · 1,234,567 events · lag 0 · http://127.0.0.1:8000/",
  ],
  [
    "that it stops, whatever is away",
    { doing: "stopping", away: [{ system: "Kafka", seconds: 70 }], commitAge: null },
    "stopping · 1,234,567 events · lag 12 · http://127.0.0.1:8000/",
  ],
  [
    "a note",
    { note: "jackpot: mega_draw", commitAge: null },
    "1,204/s · 1,234,567 events · lag 12 · jackpot: mega_draw · http://127.0.0.1:8000/",
  ],
];

for (const [name, view, expected] of CASES) {
  Deno.test(`statusLine() shows ${name}`, () => assert.equal(line(view), expected));
}

Deno.test("statusLine() keeps what it does, the total and the address longest", () => {
  assert.equal(line({}, 60), "1,204/s · 1,234,567 events · lag 12 · http://127.0.0.1:8000/");
  assert.equal(line({}, 55), "1,204/s · 1,234,567 events · http://127.0.0.1:8000/");
  assert.equal(line({}, 30), "1,204/s · 1,234,567 events");
  assert.equal(line({}, 40), "1,204/s · 1,234,567 events · lag 12");
  assert.equal(line({}, 20), "1,204/s · lag 12");
});

Deno.test("statusLine() draws attention to what is away", () => {
  const away = [{ system: "Kafka", seconds: 3 }];
  const shown = statusLine({ ...COUNTING, away }, { columns: 200, hasColors: true });
  assert.ok(shown.startsWith("\x1b[33mwaiting for Kafka, 3 s\x1b[0m"));
});
