import assert from "node:assert/strict";
import { configureLogs, log, LogObserver } from "../../lib/io/logs.ts";
import type { LogFormat } from "../../lib/core/config.ts";
import { UnavailableError } from "../../lib/core/failure.ts";
import { Terminal } from "../../lib/io/terminal.ts";

/** Lines that `write` logs. */
async function logged(
  format: LogFormat | undefined,
  write: (observer: LogObserver) => void,
): Promise<string[]> {
  const lines: string[] = [];
  const terminal = new Terminal();
  terminal.writeLine = (line) => lines.push(line);
  await configureLogs({ level: "info", format, terminal });
  write(new LogObserver());
  return lines;
}

Deno.test("logs are JSON with time, level, message and what it was made of", async () => {
  const [line] = await logged(
    "json",
    () => log.warn("{system} is {state}", { system: "Kafka", state: "away" }),
  );
  const { time, ...rest } = JSON.parse(line!);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
  assert.deepEqual(rest, {
    level: "warn",
    message: "Kafka is away",
    system: "Kafka",
    state: "away",
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

Deno.test("LogObserver says which partitions cannot be read, and when all can be again, once each", async () => {
  const lines = await logged("pretty", (observer) => {
    observer.unavailable(new Map());
    for (let looks = 0; looks < 3; looks++) {
      observer.unavailable(new Map([[2, "no leader"], [0, "no leader"], [5, "gone"]]));
    }
    for (let looks = 0; looks < 3; looks++) observer.unavailable(new Map());
  });
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0]!, /WARN .*partitions 0, 2: no leader; partition 5: gone/);
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
  const lines = await logged("pretty", (observer) => {
    observer.answered("sink");
    for (let tries = 0; tries < 5; tries++) {
      observer.failed("sink", new UnavailableError("refused"));
    }
    observer.answered("sink");
    observer.answered("sink");
  });
  assert.equal(lines.length, 2);
  assert.match(
    lines[0]!,
    /^\d\d:\d\d:\d\d WARN Waiting for PostgreSQL, for as long as it takes: refused$/,
  );
  assert.match(lines[1]!, /PostgreSQL is there after 0 s and 5 tries$/);
});

Deno.test("LogObserver takes the group and the log for one system", async () => {
  const lines = await logged("pretty", (observer) => {
    observer.failed("group", new UnavailableError("gone"));
    observer.failed("source", new UnavailableError("gone"));
    observer.answered("source");
    observer.answered("group");
  });
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /Waiting for Kafka/);
  assert.match(lines[1]!, /Kafka is there/);
});
