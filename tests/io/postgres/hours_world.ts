/**
 * A database and a model of it that go through the same steps, and are compared.
 * @module
 */

import assert from "node:assert/strict";
import { UnavailableError } from "../../../lib/core/failure.ts";
import type { Commit } from "../../../lib/core/windowing/pending.ts";
import { DeadLetterStore, type RecordPosition } from "../../../lib/io/postgres/dead_letters.ts";
import { claimPipeline, readPipeline } from "../../../lib/io/postgres/identity.ts";
import { compareHours } from "../../../lib/io/postgres/queries/audit/hour_comparison.ts";
import { readBooksDifference } from "../../../lib/io/postgres/queries/watch/books.ts";
import { resetCounts } from "../../../lib/io/postgres/reset.ts";
import { migrate } from "../../../lib/io/postgres/schema/migrate.ts";
import { Connection } from "../../../lib/io/postgres/session/connection.ts";
import type { PostgresSink } from "../../../lib/io/postgres/sink.ts";
import { FencedError } from "../../../lib/pipeline/sink.ts";
import {
  type Bucket,
  bucketsOf,
  type Counted,
  type Horizons,
  HourModel,
  type Totals,
} from "../../support/hour_model.ts";
import { assertHoursAreSums } from "../../support/hour_sums.ts";
import { migrateToFirstRelease } from "../../support/first_release.ts";
import { commitOf } from "../../support/sink_contract.ts";
import { IDENTITY, openSink, ORIGIN } from "./harness.ts";
import { type Probe, START_MS, type Step, type StepOf } from "./hours_steps.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export class World implements AsyncDisposable {
  readonly #model = new HourModel();
  #letters: RecordPosition[] = [];
  #offsets = [0, 0];
  #hasHours = false;
  #sink: PostgresSink;

  private constructor(readonly connection: Connection, readonly url: string) {
    this.#sink = openSink(connection);
  }

  /** As a version without hours made it. */
  static async open(url: string): Promise<World> {
    const world = new World(new Connection(url), url);
    await migrateToFirstRelease(world.connection);
    await claimPipeline(world.connection, { identity: IDENTITY, origin: ORIGIN });
    await world.#begin();
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    const { epoch } = (await readPipeline(this.connection))!;
    this.#sink = openSink(this.connection, epoch);
    await this.#sink.positions(new Map([[0, 0], [1, 0]]));
    this.#offsets = [0, 0];
    this.#letters = [];
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "commit":
        return await this.#commit(step);
      case "replay":
        return await this.#replay(step);
      case "expire windows":
        return await this.#expireWindows(step);
      case "expire hours":
        return await this.#expireHours(step);
      case "fill":
        return await this.#call("select fill_hours($1)", [step.maxRows]);
      case "rebuild":
        return await this.#rebuild(step);
      case "reset":
        return await this.#reset();
    }
  }

  async #call(text: string, values: unknown[] = []): Promise<void> {
    await this.connection.query({ text, values });
  }

  async #commit({ partitions, counts, letters, fate }: StepOf<"commit">): Promise<void> {
    const { windowsFromMs } = await this.horizons();
    const events = counts.reduce((sum, { count }) => sum + count, 0);
    const first = partitions[0]!;
    const positions = Array.from({ length: letters }, (_, n) => ({
      partition: first,
      offset: this.#offsets[first]! + events + n,
    }));
    const commit = this.#commitOf({ partitions, counts, events, positions });
    const isFenced = fate === "fenced" ||
      counts.some(({ windowStartMs }) => windowStartMs < windowsFromMs);
    if (fate === "cut before it" && !isFenced) await this.#cutBefore(commit);
    const moved = commit.partitions.map((each) => ({
      ...each,
      expectedOffset: each.expectedOffset + (fate === "fenced" ? 1 : 0),
    }));
    const storing = this.#sink.commit({ ...commit, partitions: moved });
    if (isFenced) return await assert.rejects(storing, FencedError);
    await storing;
    if (fate === "answer lost") await assert.rejects(this.#sink.commit(commit), FencedError);
    for (const { partition, nextOffset } of commit.partitions) {
      this.#offsets[partition] = nextOffset;
    }
    this.#letters.push(...positions);
    this.#model.count(counts);
  }

  /** Of the first partition's records; all partitions also move behind a transaction marker. */
  #commitOf({ partitions, counts, events, positions }: {
    readonly partitions: readonly number[];
    readonly counts: readonly Counted[];
    readonly events: number;
    readonly positions: readonly RecordPosition[];
  }): Commit {
    const moves = partitions.map((partition, at) => {
      const from = this.#offsets[partition]!;
      const records = at === 0 ? events + positions.length : 0;
      return [partition, from, from + records + 1] as const;
    });
    const commit = commitOf(moves, {
      counts: [...counts],
      deadLetters: positions.map((position) => ({
        ...position,
        reason: "not_json",
        recordTimestampMs: START_MS,
        key: null,
        value: new TextEncoder().encode("{"),
        headers: [],
        cut: null,
      })),
      events,
    });
    return {
      ...commit,
      partitions: commit.partitions.map((each, at) => ({
        ...each,
        counted: at === 0 ? events : 0,
        dead: at === 0 ? positions.length : 0,
        maxEventTimeMs: at === 0 && counts.length > 0
          ? Math.max(...counts.map(({ windowStartMs }) => windowStartMs)) + 1
          : NaN,
      })),
    };
  }

  /** The session ends after everything was written, and before it is committed. */
  async #cutBefore(commit: Commit): Promise<void> {
    await using cut = new Connection(this.url);
    const { epoch } = (await readPipeline(this.connection))!;
    await assert.rejects(
      cut.transaction(async () => {
        await openSink(cut, epoch).commit(commit);
        const [session] = await cut.query<{ pid: number }>({
          text: "select pg_backend_pid() as pid",
        });
        await this.#call("select pg_terminate_backend($1, 10000)", [session!.pid]);
        await cut.query({ text: "select" });
      }),
      UnavailableError,
    );
  }

  async #replay({ at, counted }: StepOf<"replay">): Promise<void> {
    if (this.#letters.length === 0) return;
    const { windowsFromMs } = await this.horizons();
    const position = this.#letters[at % this.#letters.length]!;
    const { lotteryName, eventType, windowStartMs } = counted;
    const store = new DeadLetterStore(this.connection, IDENTITY.topic);
    const replay = async () =>
      await store.replay([{
        position,
        value: new TextEncoder().encode("{}"),
        event: { lotteryName, eventType, timestampMs: windowStartMs + 7 },
      }], await store.rules());
    const isCounted = windowStartMs >= windowsFromMs;
    assert.deepEqual(await replay(), isCounted ? [position] : []);
    if (!isCounted) return;
    assert.deepEqual(await replay(), [], "once");
    this.#letters = this.#letters.filter((each) => each !== position);
    this.#model.count([{ ...counted, count: 1 }]);
  }

  async #expireWindows({ days, maxRows, clock }: StepOf<"expire windows">): Promise<void> {
    const before = (await this.horizons()).windowsFromMs;
    const nowMs = START_MS + clock * MINUTE_MS;
    await this.#call(
      "select expire_aggregates($1, $2, to_timestamp($3::bigint / 1000.0))",
      [days, maxRows, nowMs],
    );
    const after = (await this.horizons()).windowsFromMs;
    assert.ok(after === before || after > before && after <= nowMs - days * DAY_MS);
  }

  async #expireHours({ days, maxRows, clock }: StepOf<"expire hours">): Promise<void> {
    const before = (await this.horizons()).hoursKeptFromMs;
    const nowMs = START_MS + clock * MINUTE_MS;
    await this.#call(
      "select expire_hours($1, $2, to_timestamp($3::bigint / 1000.0))",
      [days, maxRows, nowMs],
    );
    const { hoursKeptFromMs: after, windowsFromMs } = await this.horizons();
    if (after === before) return;
    assert.ok(after > before && after <= nowMs - days * DAY_MS && after <= windowsFromMs);
    this.#model.deleteHours(after);
  }

  /** Brings hours. */
  async migrate(): Promise<void> {
    this.#model.beginHours((await this.horizons()).windowsFromMs);
    await migrate(this.connection);
    this.#hasHours = true;
  }

  async #rebuild({ isDamaged }: StepOf<"rebuild">): Promise<void> {
    if (isDamaged) {
      await this.#call(`
        with whole as (select coalesce(next_hour(aggregates_horizon), '-infinity') as at from pipeline),
        removed as (
          delete from lottery_hours
          where hour_start >= (select at from whole) and lottery_name = 'keno' and event_type = 'pay'
        ),
        changed as (
          update lottery_hours set event_count = event_count + 1
          where hour_start >= (select at from whole) and lottery_name = 'mega_draw'
        )
        insert into lottery_hours
        select hour_start + n * interval '30 minutes', 'no_such', 'win', 1
        from (select max(hour_start) as hour_start from lottery_hours) newest, generate_series(1, 2) as n
        where hour_start >= (select at from whole)`);
    }
    await this.#call("call rebuild_hours()");
  }

  async #reset(): Promise<void> {
    const { epoch } = (await readPipeline(this.connection))!;
    await resetCounts(this.connection, { epoch, identity: IDENTITY });
    this.#model.clear();
    await this.#begin();
  }

  async horizons(): Promise<Horizons> {
    const [row] = await this.connection.query<
      { windows: Date | null; hours: Date | null; kept: Date | null }
    >({
      text: `
        select
          aggregates_horizon as windows,
          ${this.#hasHours ? "hours_from as hours, hours_horizon as kept" : "null as hours"}
        from pipeline`,
    });
    const ms = (time: Date | null | undefined) => time?.getTime() ?? -Infinity;
    return {
      windowsFromMs: ms(row?.windows),
      hoursFromMs: ms(row?.hours),
      hoursKeptFromMs: ms(row?.kept),
    };
  }

  async assertAsItShould(probe: Probe): Promise<void> {
    const horizons = await this.horizons();
    assert.deepEqual(
      await this.#totals(
        "select extract(epoch from window_start) * 1000 as at, * from lottery_aggregates",
      ),
      this.#model.windows(horizons),
    );
    await this.#assertSum("lottery_aggregates", "deleted_events", 0);
    if (!this.#hasHours) return;
    assert.deepEqual(
      await this.#totals(
        "select extract(epoch from hour_start) * 1000 as at, * from lottery_hours",
      ),
      this.#model.hours(horizons),
    );
    const later = [...this.#model.windows(horizons)].filter(([key]) =>
      JSON.parse(key)[0] < horizons.hoursFromMs
    );
    const eventsNotInHours = later.reduce((sum, [, events]) => sum + events, 0);
    await this.#assertSum("lottery_hours", "deleted_hour_events", eventsNotInHours);
    const isKnown = horizons.hoursFromMs === -Infinity; // there are offsets from the beginning on
    assert.equal(await readBooksDifference(this.connection), isKnown ? 0 : null);
    await assertHoursAreSums(this.connection);
    const compared = await compareHours(this.connection, { maxDifferences: 5, stepRows: 3 });
    assert.deepEqual(compared.differences, []);
    assert.equal(compared.hours.wrong, 0);
    await this.#assertRead(probe, horizons);
  }

  async #assertSum(table: string, deleted: string, elsewhere: number): Promise<void> {
    const [row] = await this.connection.query<{ stored: number; ledger: number }>({
      text: `
        select
          (select coalesce(sum(event_count), 0)::bigint from ${table}) + ${deleted} as stored,
          (select coalesce(sum(counted), 0)::bigint from kafka_offsets) + replayed_letters as ledger
        from pipeline`,
    });
    assert.equal(row!.stored + elsewhere, row!.ledger, table);
    assert.equal(row!.ledger, this.#model.events);
  }

  async #assertRead({ startMs, steps, stepMs, zone }: Probe, horizons: Horizons): Promise<void> {
    const range = { startMs, endMs: startMs + steps * stepMs };
    const times = [new Date(range.startMs), new Date(range.endMs)];
    assert.deepEqual(
      await this.#totals("select null as at, * from lottery_totals($1, $2)", times),
      this.#model.between(range, horizons),
    );
    const expected = bucketsOf(range, { stepMs, zone, horizons });
    const values = [
      ...times,
      stepMs % DAY_MS === 0 ? stepMs / DAY_MS : 0,
      stepMs % DAY_MS / 1000,
      zone,
    ];
    const cut = "($1, $2, make_interval(days => $3, secs => $4), $5)";
    const buckets = await this.connection.query<{ bucket_start: Date; bucket_end: Date }>({
      text: `select * from lottery_buckets${cut} order by bucket_start`,
      values,
    });
    assert.deepEqual(
      buckets.map(({ bucket_start, bucket_end }): Bucket => ({
        startMs: bucket_start.getTime(),
        endMs: bucket_end.getTime(),
      })),
      expected,
    );
    // What is shown as a bucket is all of it.
    const counts = expected.flatMap((bucket) =>
      [...this.#model.all(bucket)].map(([key, events]): [string, number] => {
        const [, ...names] = JSON.parse(key);
        return [JSON.stringify([bucket.startMs, ...names]), events];
      })
    );
    assert.deepEqual(
      await this.#totals(
        `select extract(epoch from bucket_start) * 1000 as at, * from lottery_counts${cut}`,
        values,
      ),
      new Map(counts),
    );
  }

  async #totals(text: string, values: unknown[] = []): Promise<Totals> {
    const rows = await this.connection.query<
      { at: string | null; lottery_name: string; event_type: string; event_count: number }
    >({ text, values });
    const all = new Map(rows.map(({ at, lottery_name, event_type, event_count }) => [
      JSON.stringify([at === null ? null : Number(at), lottery_name, event_type]),
      event_count,
    ]));
    assert.equal(all.size, rows.length, "a row each");
    return all;
  }
}
