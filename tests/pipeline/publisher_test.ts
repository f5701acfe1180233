import assert from "node:assert/strict";
import type {
  ClosedCount,
  CountKey,
  PublishedCount,
} from "../../lib/core/windowing/closed_count.ts";
import type { TableCount } from "../../lib/core/windowing/output_review.ts";
import {
  type Outbox,
  type Output,
  Publisher,
  type PublisherObserver,
} from "../../lib/pipeline/publisher.ts";

/** Counts of which all windows are closed, what of them is to be published, and the topic. */
class MemoryWorld {
  readonly counts = new Map<string, ClosedCount>();
  readonly outbox = new Map<string, ClosedCount>();
  readonly topic: (ClosedCount | { readonly lotteryName: string; readonly count: null })[] = [];
  isReviewDue = false;
  /** Whose windows retention has deleted. */
  readonly deleted = new Set<string>();
  /** Happens after each look at the table. */
  afterLook = () => {};
  /** Who has opened the topic last. */
  owner: MemoryEnds | null = null;
  holder: MemoryEnds | null = null;
  #revisions = 0;

  /** An event, late or not. */
  count(lotteryName: string): void {
    const before = this.counts.get(lotteryName);
    const counted: ClosedCount = {
      windowStartMs: 0,
      windowEndMs: 60_000,
      lotteryName,
      eventType: "pay",
      count: (before?.count ?? 0) + 1,
      revision: ++this.#revisions,
    };
    this.counts.set(lotteryName, counted);
    this.outbox.set(lotteryName, counted);
  }

  /** A count is published with another revision, if there is one. */
  takeAgain(lotteryName: string): void {
    const counted = this.counts.get(lotteryName);
    if (!counted) return;
    this.counts.set(lotteryName, { ...counted, revision: ++this.#revisions });
    this.outbox.set(lotteryName, this.counts.get(lotteryName)!);
  }

  /** What a failover loses: counts as they were are all there is, with what was to be published then. */
  lose(counts: ReadonlyMap<string, ClosedCount>): void {
    this.counts.clear();
    this.outbox.clear();
    for (const [name, count] of counts) this.counts.set(name, count);
    this.isReviewDue = true;
  }

  /** Consumers that keep a key's last record have what is counted. */
  assertPublished(): void {
    const last = new Map(this.topic.map((each) => [each.lotteryName, each]));
    for (const [name, { count }] of last) if (count === null) last.delete(name);
    const byName = (counts: Iterable<[string, unknown]>) =>
      [...counts].sort(([a], [b]) => a < b ? -1 : 1);
    assert.deepEqual(byName(last), byName(this.counts));
    assert.equal(this.outbox.size, 0);
  }
}

/** One worker's outbox and output. */
class MemoryEnds implements Outbox, Output {
  readonly #world: MemoryWorld;
  /** Called before each step and after each send; what it throws is thrown by the step. */
  readonly #interfere: (step: number) => Promise<void>;
  steps = 0;

  constructor(world: MemoryWorld, interfere: (step: number) => Promise<void> = async () => {}) {
    this.#world = world;
    this.#interfere = interfere;
  }

  async claim(): Promise<boolean> {
    await this.#interfere(++this.steps);
    this.#world.holder ??= this;
    return this.#world.holder === this;
  }

  release(): Promise<void> {
    if (this.#world.holder === this) this.#world.holder = null;
    return Promise.resolve();
  }

  async open(): Promise<void> {
    await this.#interfere(++this.steps);
    this.#world.owner = this;
  }

  async renewRevisions(): Promise<void> {
    await this.#interfere(++this.steps);
  }

  async fill(): Promise<void> {
    await this.#interfere(++this.steps);
  }

  async next(limit: number): Promise<ClosedCount[]> {
    await this.#interfere(++this.steps);
    return [...this.#world.outbox.values()].slice(0, limit);
  }

  async send(counts: readonly ClosedCount[]): Promise<void> {
    await this.#interfere(++this.steps);
    if (this.#world.owner !== this) throw new Error("shut out");
    this.#world.topic.push(...counts);
    await this.#interfere(++this.steps);
  }

  isReviewDue(): Promise<boolean> {
    return Promise.resolve(this.#world.isReviewDue);
  }

  lookUp(keys: readonly CountKey[]): Promise<TableCount[]> {
    const found = keys.map(({ lotteryName }) => ({
      count: this.#world.counts.get(lotteryName)?.count ?? null,
      isDeleted: this.#world.deleted.has(lotteryName),
      isHandedOver: true,
    }));
    this.#world.afterLook();
    return Promise.resolve(found);
  }

  takeAgain(keys: readonly CountKey[]): Promise<void> {
    for (const { lotteryName } of keys) this.#world.takeAgain(lotteryName);
    return Promise.resolve();
  }

  reviewed(): Promise<void> {
    this.#world.isReviewDue = false;
    return Promise.resolve();
  }

  async retract(keys: readonly CountKey[]): Promise<void> {
    if (this.#world.owner !== this) throw new Error("shut out");
    for (const { lotteryName } of keys) this.#world.topic.push({ lotteryName, count: null });
    await this.#interfere(++this.steps);
  }

  async *read(): AsyncGenerator<PublishedCount[]> {
    for (const { lotteryName, count } of this.#world.topic) {
      yield [{ key: { windowStartMs: 0, lotteryName, eventType: "pay" }, count }];
    }
  }

  async remove(counts: readonly ClosedCount[]): Promise<void> {
    await this.#interfere(++this.steps);
    for (const { lotteryName, revision } of counts) {
      if (this.#world.outbox.get(lotteryName)?.revision === revision) {
        this.#world.outbox.delete(lotteryName);
      }
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Runs a publisher until it has published, failed, or found that it is not its turn. */
async function publishOnce(ends: MemoryEnds): Promise<"published" | "failed" | "nothing"> {
  const stop = new AbortController();
  let outcome: "published" | "failed" | "nothing" = "nothing";
  const end = (how: typeof outcome) => {
    outcome = how;
    stop.abort();
  };
  const observer: PublisherObserver = {
    published: () => end("published"),
    reviewed: () => {},
    notReviewed: (error) => assert.fail(String(error)),
    failed: () => end("failed"),
    recovered: () => stop.abort(),
  };
  await new Publisher({ outbox: ends, output: ends, observer }).run(stop.signal);
  return outcome;
}

/** claim, open, renew revisions, next, fill, next, before and after a send, remove. */
const STEPS = 9;

for (let moment = 1; moment <= STEPS; moment++) {
  Deno.test(`Publisher leaves the last count last, although it is frozen at step ${moment} and another one takes over`, async () => {
    const world = new MemoryWorld();
    for (const name of ["keno", "mega_draw"]) world.count(name);
    const frozen = new MemoryEnds(world, async (step) => {
      if (step !== moment) return;
      world.holder = null; // its claim has run out
      world.count("keno");
      assert.equal(await publishOnce(new MemoryEnds(world)), "published");
    });
    await publishOnce(frozen);
    assert.ok(frozen.steps >= moment, "it went on after it thawed");
    world.holder = null;
    await publishOnce(new MemoryEnds(world));
    world.assertPublished();
  });

  Deno.test(`Publisher publishes again what may not have arrived, after it died at step ${moment}`, async () => {
    const world = new MemoryWorld();
    for (const name of ["keno", "mega_draw"]) world.count(name);
    const dying = new MemoryEnds(world, (step) => {
      return step === moment ? Promise.reject(new Error("killed")) : Promise.resolve();
    });
    assert.equal(await publishOnce(dying), "failed");
    world.count("mega_draw");
    world.holder = null;
    assert.equal(await publishOnce(new MemoryEnds(world)), "published");
    world.assertPublished();
  });
}

Deno.test("Publisher does nothing while another one has the right to", async () => {
  const world = new MemoryWorld();
  world.count("keno");
  world.holder = new MemoryEnds(world);
  const ends = new MemoryEnds(world);
  assert.equal(await publishOnce(ends), "nothing");
  assert.deepEqual([ends.steps, world.topic], [1, []]);
});

Deno.test("Publisher publishes a count that changes while it is sent once more", async () => {
  const world = new MemoryWorld();
  world.count("keno");
  const ends = new MemoryEnds(world, (step) => {
    if (step === 8) world.count("keno");
    return Promise.resolve();
  });
  assert.equal(await publishOnce(ends), "published");
  assert.equal(world.outbox.size, 1);
  assert.equal(await publishOnce(new MemoryEnds(world)), "published");
  world.assertPublished();
});

Deno.test("Publisher makes the output what the table is, when the database has lost what was published", async () => {
  const world = new MemoryWorld();
  const publishAll = async () => {
    while (world.outbox.size > 0) {
      world.holder = null;
      await publishOnce(new MemoryEnds(world));
    }
  };
  for (const name of ["keno", "mega_draw", "bingo"]) world.count(name);
  await publishAll();
  const before = new Map(world.counts);
  before.delete("bingo");
  for (const name of ["keno", "bingo", "new"]) world.count(name);
  await publishAll();
  world.assertPublished();

  world.lose(before);
  world.holder = null;
  await publishOnce(new MemoryEnds(world));
  await publishAll();
  world.assertPublished();
  assert.equal(world.isReviewDue, false);
  // What comes back after that is published again.
  for (const name of ["keno", "bingo"]) world.count(name);
  await publishAll();
  world.assertPublished();
});

Deno.test("Publisher leaves in the output what retention deletes while the output is compared", async () => {
  const world = new MemoryWorld();
  world.count("keno");
  while (world.outbox.size > 0) {
    world.holder = null;
    await publishOnce(new MemoryEnds(world));
  }
  world.lose(new Map());
  world.afterLook = () => world.deleted.add("keno");
  world.holder = null;
  await publishOnce(new MemoryEnds(world));
  assert.equal(world.isReviewDue, false);
  assert.equal(world.topic.at(-1)!.count, 1);
});
