import assert from "node:assert/strict";
import { UnavailableError } from "../../lib/core/failure.ts";
import type { LogFormat } from "../../lib/core/settings/config.ts";
import { configureLogs, log, LogObserver } from "../../lib/io/logs.ts";
import { Terminal } from "../../lib/io/terminal.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";

/** Lines that `write` logs. */
async function logged(
  format: LogFormat | undefined,
  write: (observer: LogObserver, state: WorkerState) => void,
): Promise<string[]> {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line);
  await configureLogs({ level: "info", format, terminal });
  const [observer, state] = [new LogObserver(), new WorkerState()];
  state.notifyOfOutages(observer);
  write(observer, state);
  return lines;
}

Deno.test("logs are JSON with time, level, message and what it was made of", async () => {
  const [line] = await logged(
    "json",
    () => log.warn("{system} is {state}", { system: "Kafka", state: "away", sinceMs: 5 }),
  );
  const { time, ...rest } = JSON.parse(line!);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
  assert.deepEqual(rest, {
    level: "warn",
    message: "Kafka is away",
    system: "Kafka",
    state: "away",
    since_ms: 5,
  });
});

Deno.test("logs for a person have a time, and the level only where it matters", async () => {
  const lines = await logged("pretty", () => {
    log.info("calm {n}", { n: 5 });
    log.error("act");
    log.debug("not shown");
  });
  assert.match(lines[0]!, /^\d\d:\d\d:\d\d calm 5$/);
  assert.match(lines[1]!, /^\d\d:\d\d:\d\d ERROR act$/);
  assert.equal(lines.length, 2);
});

const HOSTILE = "down\x1b[2J\n12:00:00 all is well\x9b0m\u202e\u2028\ud800";

Deno.test("logs for a person are one line each, and move no cursor, whatever a database says", async () => {
  const lines = await logged("pretty", (_, state) => {
    state.failed("commit", new UnavailableError(HOSTILE));
    log.error("{message}", { message: HOSTILE });
  });
  assert.equal(lines.length, 2);
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\u2028]/u);
  assert.match(lines[1]!, /ERROR down\\u\{1b\}\[2J\\n12:00:00 all is well\\u\{9b\}0m/);
});

Deno.test("logs as JSON are one line each, and mean what was said", async () => {
  const lines = await logged("json", () => log.error("{message}", { message: HOSTILE }));
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /[\p{Cc}\p{Cf}\p{Cs}\u2028]/u);
  assert.equal(JSON.parse(lines[0]!).message, HOSTILE);
});

Deno.test("LogObserver says which partitions cannot be read, and when all can be again, once each", async () => {
  const lines = await logged("pretty", (observer) => {
    observer.unavailable(new Map());
    for (let looks = 0; looks < 3; looks++) {
      observer.unavailable(new Map([[2, "no leader"], [0, "no leader"], [5, "gone"]]));
    }
    for (let looks = 0; looks < 3; looks++) observer.unavailable(new Map());
  });
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0]!, /WARN .*partitions 0 and 2: no leader; partition 5: gone/);
  assert.match(lines[1]!, /All assigned partitions can be read again$/);
});

Deno.test("LogObserver says once that Kafka throttles us", async () => {
  const lines = await logged("pretty", (observer) => {
    for (let looks = 0; looks < 3; looks++) observer.throttled();
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /WARN Kafka throttles this worker.*consumer_byte_rate/);
});

Deno.test("LogObserver says that a system is away, and that it is back, once each", async () => {
  const lines = await logged("pretty", (_, state) => {
    state.answered("commit");
    for (let tries = 0; tries < 5; tries++) {
      state.failed("commit", new UnavailableError("refused"));
    }
    state.answered("commit");
    state.answered("commit");
  });
  assert.equal(lines.length, 2);
  assert.match(
    lines[0]!,
    /^\d\d:\d\d:\d\d WARN Waiting for PostgreSQL, retrying until it answers: refused$/,
  );
  assert.match(lines[1]!, /PostgreSQL is back after 0 s \(5 attempts\)$/);
});

Deno.test("LogObserver takes the group and the log for one system", async () => {
  const lines = await logged("pretty", (_, state) => {
    state.failed("group", new UnavailableError("gone"));
    state.failed("source", new UnavailableError("gone"));
    state.answered("source");
    state.answered("group");
  });
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /Waiting for Kafka/);
  assert.match(lines[1]!, /Kafka is back/);
});

Deno.test("LogObserver says that nobody counts a partition, and that somebody does, once each", async () => {
  const gap = {
    partition: 1,
    reason: "nobody",
    leaderProblem: null,
    holder: null,
    sinceMs: 0,
  } as const;
  const lines = await logged("pretty", (observer) => {
    observer.uncounted([], []);
    observer.uncounted([gap], ["partition 1 is not counted (5 records waiting)"]);
    observer.uncounted([gap], ["partition 1 is not counted (9 records waiting)"]);
    observer.uncounted([{ ...gap, partition: 2 }], ["partition 2 is not counted"]);
    observer.uncounted([], []);
    observer.uncounted([], []);
  });
  assert.deepEqual(lines.map((line) => line.slice(9)), [
    "ERROR partition 1 is not counted (5 records waiting)",
    "ERROR partition 2 is not counted",
    "Every partition is counted again",
  ]);
});
