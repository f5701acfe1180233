import assert from "node:assert/strict";
import { DeadLetters } from "../../lib/core/dead_letters/buffer.ts";
import { UnavailableError } from "../../lib/core/failure.ts";
import type { Commit } from "../../lib/core/windowing/pending.ts";
import { configureLogs } from "../../lib/io/logs.ts";
import { Terminal } from "../../lib/io/terminal.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { StatusLine } from "../../lib/worker/live_status_line.ts";
import { eventually } from "../support/eventually.ts";
import { FakeScreen } from "../support/screen.ts";

const ADDRESS = "http://127.0.0.1:8000/";

const COMMIT: Commit = {
  counts: [],
  deadLetters: new DeadLetters(),
  partitions: [],
  lostRanges: [],
  events: 1_500,
  lateEvents: 0,
  batchTimestampsMs: [],
};

Deno.test("StatusLine shows what a worker does until it is told to stop, and then what it has done", async () => {
  const screen = new FakeScreen();
  screen.width = 200;
  const terminal = new Terminal({ screen, noColor: true });
  await configureLogs({ level: "info", format: "pretty", terminal });
  const stop = new AbortController();
  let note: string | null = null;
  const shows = (pattern: RegExp) => eventually(() => pattern.test(screen.rows.at(-1)!));
  {
    const state = new WorkerState();
    using status = new StatusLine({ terminal, signal: stop.signal, state, note: () => note });
    status.show(ADDRESS);
    await shows(/^starting · 0 events · http:/);
    state.failed("source", new UnavailableError("refused"));
    await shows(/^waiting for Kafka, \d+ s · 0 events/);
    state.answered("source");
    state.assigned([0, 1]);
    state.lag(new Map([[0, 30], [1, 12]]));
    state.committed(COMMIT);
    await shows(/^[\d,]+\/s · 1,500 events · lag 42 · last commit (just now|\d+ s ago) · http:/);
    state.failed("commit", new UnavailableError("refused"));
    await shows(/^waiting for PostgreSQL, \d+ s · 1,500 events · lag 42 · /);
    state.answered("commit");
    state.failed("group", new UnavailableError("refused"));
    await shows(/^waiting for Kafka, \d+ s · 1,500 events · last commit /); // lag is not known
    state.answered("group");
    note = "jackpot: mega_draw";
    await shows(/ · jackpot: mega_draw · /);
    state.assigned([]);
    await shows(/^standing by · /);
    stop.abort();
    await shows(/^stopping · /);
  }
  assert.match(
    screen.rows.join("\n"),
    /^\d\d:\d\d:\d\d Stopped: counted 1500 events and kept 0 dead letters in \d+ s\n$/,
  );
});

Deno.test("StatusLine says nothing at the end if the worker was not told to stop", async () => {
  const screen = new FakeScreen({ isTerminal: false });
  const terminal = new Terminal({ screen });
  await configureLogs({ level: "info", format: "json", terminal });
  {
    const state = new WorkerState();
    using status = new StatusLine({ terminal, signal: new AbortController().signal, state });
    status.show(ADDRESS);
  }
  assert.equal(screen.written, "");
});
