import assert from "node:assert/strict";
import { Condition } from "../../lib/async/condition.ts";
import type { Alert } from "../../lib/core/alert.ts";
import { Connection } from "../../lib/io/postgres/session/connection.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { BooksMonitor, restMs } from "../../lib/worker/books_monitor.ts";
import { openPostgresHarness } from "../io/postgres/harness.ts";
import { eventually } from "../support/eventually.ts";
import { createDatabase } from "../support/postgres.ts";
import { serverTest } from "../support/servers.ts";
import { commitOf } from "../support/sink_contract.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

/** What would be mailed. */
class Raised {
  readonly titles: string[] = [];
  /** Since when it is said to last, each time that it was. */
  readonly sinceMs: number[] = [];
  readonly #changed = new Condition();

  lasts({ cause, title, error, sinceMs }: Alert): void {
    assert.equal(cause, "books_wrong");
    this.sinceMs.push(sinceMs);
    this.#add(`${title}: ${(error as Error).message}`);
  }

  over(_: string, recovered: (sinceMs: number) => Alert): void {
    this.#add(recovered(0).title);
  }

  #add(title: string): void {
    if (this.titles.at(-1) === title) return; // it lasts
    this.titles.push(title);
    this.#changed.notify();
  }

  async has(count: number): Promise<string> {
    await this.#changed.until(() => this.titles.length >= count);
    return this.titles[count - 1]!;
  }
}

serverTest(
  "books that do not balance are raised, and that they do again",
  ["postgres"],
  async () => {
    await using database = await createDatabase();
    await using harness = await openPostgresHarness(database.url);
    const { connection, first } = harness;
    const url = new URL(database.url);
    await using proxy = new TcpProxy({ hostname: url.hostname, port: Number(url.port) });
    Object.assign(url, { hostname: "127.0.0.1", port: String(proxy.port) });
    const [state, alerts] = [new WorkerState(), new Raised()];
    await using monitor = new BooksMonitor({
      connection: new Connection(url.href),
      ...{ state, alerts, intervalMs: 5 },
    });
    assert.equal(state.booksDifference, null);
    await first.positions(new Map([[0, 0]]));
    await first.commit(commitOf([[0, 0, 7]]));
    monitor.begin();
    await eventually(() => state.booksDifference === 0);
    await connection.query({ text: "update lottery_hours set event_count = event_count + 3" });
    assert.match(await alerts.has(1), /^The books do not balance: .* has 3 events more than/);
    assert.equal(state.booksDifference, -3);

    proxy.cutAnswersTo("lottery_hours"); // nothing is known, and nothing is concluded
    await eventually(() => state.booksDifference === null);
    proxy.cutAnswersTo(null);
    await eventually(() => state.booksDifference === -3);
    // The same while hours are being filled.
    await connection.query({ text: "update pipeline set hours_from = '2026-01-01Z'" });
    await eventually(() => state.booksDifference === null);
    await connection.query({ text: "update pipeline set hours_from = null" });
    await eventually(() => state.booksDifference === -3);
    assert.equal(alerts.titles.length, 1);
    const [sinceMs] = alerts.sinceMs;
    assert.deepEqual([...new Set(alerts.sinceMs)], [sinceMs], "it lasts since the first time");

    await connection.query({ text: "call rebuild_hours()" });
    assert.equal(await alerts.has(2), "Recovered: the books balance again");
    assert.equal(state.booksDifference, 0);

    const againMs = Date.now();
    await connection.query({ text: "update lottery_hours set event_count = event_count - 1" });
    assert.match(await alerts.has(3), /^The books do not balance: .* has 1 event fewer than/);
    assert.ok(alerts.sinceMs.at(-1)! >= againMs, "it is another time");
  },
);

Deno.test("the books take no more than a hundredth of the time", () => {
  for (const tookMs of [0, 1, 600, 5_000, 20_000]) {
    const rest = restMs({ tookMs, intervalMs: 60_000 });
    assert.ok(rest >= 60_000 && tookMs / (tookMs + rest) <= 0.01, `${tookMs} ms`);
  }
});
