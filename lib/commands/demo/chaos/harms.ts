/**
 * What is done to the pipeline, each kind with the effect that shows that it was done.
 * @module
 */

import { delay } from "../../../async/delay.ts";
import { UnavailableError } from "../../../core/failure.ts";
import { plural } from "../../../core/text/numbers.ts";
import type { Commit } from "../../../core/windowing/pending.ts";
import { FencedError } from "../../../pipeline/sink.ts";
import type { Bursts } from "./bursts.ts";
import type { Chance } from "./chance.ts";
import type { CommitPlace } from "./harmed_sink.ts";
import type { HarmedSource } from "./harmed_source.ts";
import type { Sessions } from "./sessions.ts";

/** A pipeline, where it can be harmed. */
export interface Victim {
  readonly commits: Chance<CommitPlace>;
  readonly source: HarmedSource;
  readonly sessions: Sessions;
  readonly records: Bursts;
  /** The next number in [0, 1) of a sequence that is always the same. */
  readonly random: () => number;
}

export interface Harm {
  readonly name: string;
  /** Resolves to what was done, once it has had its effect; to null if it had none. */
  strike(victim: Victim): Promise<string | null>;
}

/** Ends a worker as if its process were killed: nothing is committed any more. */
export class DroppedError extends Error {
  override readonly name = "DroppedError";
}

const BURST_RECORDS = 400;
const REWOUND_RECORDS = 500;
/** A session is ended at any time within a commit. */
const CUT_WITHIN_MS = 8;

export const HARMS: readonly Harm[] = [
  {
    name: "worker dropped",
    async strike({ commits }) {
      const dropped = await nextCommit(commits, () => {
        throw new DroppedError();
      });
      const next = await nextCommit(commits, ({ commit, store }) => store(commit));
      if (!beginsLike(next, dropped)) return null;
      return `a worker was dropped with ${events(dropped)} that it had not committed; ` +
        "the next one read them again";
    },
  },
  {
    name: "commit's answer lost",
    async strike({ commits }) {
      let isRefused = false;
      const stored = await nextCommit(commits, async ({ commit, store }) => {
        await store(commit);
        throw new UnavailableError("the connection broke before the answer came");
      });
      await nextCommit(commits, async ({ commit, store }) => {
        isRefused = await isFenced(store(commit)) && commit === stored;
        if (isRefused) throw new FencedError("Cannot commit: an offset has moved");
      });
      if (!isRefused) return null;
      return `a commit of ${events(stored)} was stored, but its answer was lost; ` +
        "when it was sent again, it was recognized";
    },
  },
  {
    name: "commit lost",
    async strike({ commits }) {
      const lost = await nextCommit(commits, () => {
        throw new UnavailableError("the connection broke before the commit arrived");
      });
      const next = await nextCommit(commits, ({ commit, store }) => store(commit));
      if (next !== lost) return null;
      return `a commit of ${events(lost)} was lost on its way; it was sent again`;
    },
  },
  {
    name: "sessions ended",
    async strike({ commits, sessions, random }) {
      let [ended, opened] = [0, 0];
      await nextCommit(commits, async ({ commit, store }) => {
        const storing = store(commit);
        storing.catch(() => {}); // until it is awaited
        await delay(random() * CUT_WITHIN_MS);
        opened = sessions.opened;
        ended = sessions.cut();
        await storing;
      });
      await nextCommit(commits, ({ commit, store }) => store(commit));
      if (ended === 0 || sessions.opened === opened) return null;
      return ended === 1
        ? "a database session ended within a commit; another was opened"
        : `${ended} database sessions ended, one of them within a commit; others were opened`;
    },
  },
  {
    name: "commit of a dropped worker",
    async strike({ commits }) {
      let fences = 0;
      const late = await nextCommit(commits, () => {
        throw new DroppedError();
      });
      await nextCommit(commits, async ({ commit, store }) => {
        if (await isFenced(store(late))) fences++;
        if (await isFenced(store(commit))) {
          fences++;
          throw new FencedError("Cannot commit: an offset has moved");
        }
      });
      if (fences !== 1) return null;
      return `the last commit of a dropped worker, of ${events(late)}, arrived after the next ` +
        "worker had read them again; only one of the two was stored";
    },
  },
  {
    name: "records handed over twice",
    async strike({ source }) {
      const { starts } = source;
      let records = 0;
      await source.fetches.next(async ({ fetched, handOver }) => {
        records = fetched.nextOffset - fetched.fetchedOffset;
        await handOver(fetched);
        await handOver(fetched);
      });
      await source.startsAgain(starts);
      return `${plural(records, "record")} came twice; counting began again at the stored offsets`;
    },
  },
  {
    name: "records from an older offset",
    async strike({ source, random }) {
      const { starts } = source;
      const records = source.rewind(1 + Math.floor(random() * REWOUND_RECORDS));
      await source.startsAgain(starts);
      return `the log was read from ${plural(records, "record")} before; ` +
        "counting began again at the stored offsets";
    },
  },
  {
    name: "late and bad records",
    async strike({ commits, records }) {
      const { late, bad, beforeMs } = records.add(BURST_RECORDS);
      let [lateCounted, badKept] = [0, 0];
      while (lateCounted < late || badKept < bad) {
        await nextCommit(commits, async ({ commit, store }) => {
          await store(commit);
          lateCounted += commit.counts.reduce(
            (sum, { windowStartMs, count }) => sum + (windowStartMs < beforeMs ? count : 0),
            0,
          );
          badKept += commit.deadLetters.length;
        });
      }
      return `${plural(late, "event")} came at least half an hour late, and ` +
        `${plural(bad, "bad record")}; they were counted and kept`;
    },
  },
];

/** The next commit, after that was done in place of storing it. */
export async function nextCommit(
  commits: Chance<CommitPlace>,
  action: (place: CommitPlace) => Promise<void> | void,
): Promise<Commit> {
  let next: Commit | undefined;
  await commits.next(async (place) => {
    next = place.commit;
    await action(place);
  });
  return next!;
}

/** @throws what is no fence. */
async function isFenced(storing: Promise<void>): Promise<boolean> {
  try {
    await storing;
    return false;
  } catch (error) {
    if (error instanceof FencedError) return true;
    throw error;
  }
}

/** True if a partition of both begins at the same offset. */
function beginsLike(commit: Commit, other: Commit): boolean {
  return commit.partitions.some(({ partition, expectedOffset }) =>
    other.partitions.some((each) =>
      each.partition === partition && each.expectedOffset === expectedOffset
    )
  );
}

function events({ events }: Commit): string {
  return plural(events, "event");
}
