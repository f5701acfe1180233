/**
 * How the cost of an event grows with partitions, with keys (lottery × type × window),
 * and with the span of the windows; and what a second worker adds.
 * @module
 */

import { eventually } from "../support/eventually.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { settingsOf, startOnce } from "./consumers.ts";
import { type Load, makeTopic } from "./load.ts";
import { cpuSecondsOf } from "./processes.ts";
import { compared, type Finding, median, rate } from "./report.ts";
import type { Stand } from "./stand.ts";

/** How `pgrep` finds them. */
const [BROKER, DATABASE] = ["kafka[.]Kafka", "postgres"];
const DAY_MS = 24 * 60 * 60_000;

interface Outcome {
  readonly eventsPerSecond: number;
  /** Rows inserted or updated, in all commits. */
  readonly rowsWritten: number;
  /** Time of one bare `INSERT … ON CONFLICT`, for each of its rows. */
  readonly bareMicrosPerRow: number;
}

/** Medians of some rounds. */
async function count(stand: Stand, load: Omit<Load, "events">): Promise<Outcome> {
  const events = eventsOf(stand);
  await using topic = await makeTopic(stand.brokers, { events, ...load });
  const outcomes: Outcome[] = [];
  for (let round = 0; round < (stand.isQuick ? 1 : 3); round++) {
    await using database = await stand.createDatabase();
    const { eventsPerSecond } = await startOnce(stand, settingsOf(topic, database));
    const rowsWritten = await writtenRows(database);
    outcomes.push({ eventsPerSecond, rowsWritten, bareMicrosPerRow: await bareInsert(database) });
  }
  const middle = (figure: keyof Outcome) => median(outcomes.map((outcome) => outcome[figure]));
  return {
    eventsPerSecond: middle("eventsPerSecond"),
    rowsWritten: middle("rowsWritten"),
    bareMicrosPerRow: middle("bareMicrosPerRow"),
  };
}

function eventsOf({ isQuick }: Stand): number {
  return isQuick ? 500_000 : 2_000_000;
}

/** What PostgreSQL has counted, once the worker's session has told it. */
async function writtenRows({ connection }: TestDatabase): Promise<number> {
  return await eventually(async () => {
    const [row] = await connection.query<{ written: number }>({
      text: `
        select n_tup_ins + n_tup_upd as written
        from pg_stat_user_tables
        where relname = 'lottery_aggregates'`,
    });
    return row!.written > 0 && row!.written;
  });
}

/** Writes the rows once more, into a table like theirs, with nothing around it. @returns µs a row. */
async function bareInsert({ connection }: TestDatabase): Promise<number> {
  await connection.query({
    text: "create table bare (like lottery_aggregates including all)",
  });
  const startedAt = performance.now();
  const [row] = await connection.query<{ rows: number }>({
    text: `
      with written as (
        insert into bare as b
        select * from lottery_aggregates
        on conflict (window_start, lottery_name, event_type) do update
          set event_count = b.event_count + excluded.event_count
        returning 1
      )
      select count(*) as rows from written`,
  });
  return (performance.now() - startedAt) * 1000 / row!.rows;
}

export async function* growth(stand: Stand): AsyncGenerator<Finding> {
  const base = await count(stand, {});
  const baseRate = rate(base.eventsPerSecond);
  const beside = `4 partitions, 60 names, 30 minutes: ${baseRate}`;
  for (const partitions of stand.isQuick ? [64] : [64, 256]) {
    const { eventsPerSecond } = await count(stand, { partitions });
    yield compared({
      what: `${partitions} partitions`,
      measured: rate(eventsPerSecond),
      beside,
      ratio: eventsPerSecond / base.eventsPerSecond,
      least: 0.7,
    });
  }
  for (const [what, load] of wider(stand)) {
    const { eventsPerSecond, rowsWritten, bareMicrosPerRow } = await count(stand, load);
    const microsPerRow = eventsOf(stand) / eventsPerSecond * 1e6 / rowsWritten;
    yield {
      what,
      measured: rate(eventsPerSecond),
      beside: `${baseRate}; ${rowsWritten} rows written, ${microsPerRow.toFixed(1)} µs each; ` +
        `bare INSERT … ON CONFLICT ${bareMicrosPerRow.toFixed(1)} µs`,
      ratio: eventsPerSecond / base.eventsPerSecond,
    };
  }
}

function wider({ isQuick }: Stand): [string, Omit<Load, "events">][] {
  const names = (lotteries: number): [string, Omit<Load, "events">] => [
    `${3 * lotteries} names in one minute`,
    { lotteries, spanMs: 60_000 },
  ];
  return isQuick
    ? [names(3_334)]
    : [names(3_334), names(66_667), ["windows of 30 days", { spanMs: 30 * DAY_MS }]];
}

/**
 * Two workers that share the topic, beside one; and what an event costs at each stage. One of the
 * two joins first and has to share then, so the topic is larger: that is not what is measured.
 */
export async function* workers(stand: Stand): AsyncGenerator<Finding> {
  const events = stand.isQuick ? 1_000_000 : 15_000_000;
  await using topic = await makeTopic(stand.brokers, { events });
  const [ones, twos]: [number[], number[]] = [[], []];
  const costs = { worker: 0, broker: 0, database: 0 };
  const rounds = stand.isQuick ? 1 : 5;
  for (let round = 0; round < rounds; round++) {
    {
      await using database = await stand.createDatabase();
      const before = [await cpuSecondsOf(BROKER), await cpuSecondsOf(DATABASE)] as const;
      const { eventsPerSecond, usage } = await startOnce(stand, settingsOf(topic, database));
      ones.push(eventsPerSecond);
      costs.worker += usage.cpuSeconds / rounds;
      costs.broker += (await cpuSecondsOf(BROKER) - before[0]) / rounds;
      costs.database += Math.max(0, await cpuSecondsOf(DATABASE) - before[1]) / rounds;
    }
    await using database = await stand.createDatabase();
    const env = settingsOf(topic, database);
    const both = await Promise.all([startOnce(stand, env), startOnce(stand, env)]);
    twos.push(events / Math.max(both[0].seconds, both[1].seconds));
  }
  yield compared({
    what: "two workers",
    measured: rate(median(twos)),
    beside: `one worker ${rate(median(ones))}`,
    ratio: median(twos) / median(ones),
    least: 1,
  });
  const micros = (seconds: number) => `${(seconds / events * 1e6).toFixed(2)} µs`;
  yield {
    what: "CPU time per event",
    measured: micros(costs.worker + costs.broker + costs.database),
    beside: `worker ${micros(costs.worker)} with its start, broker ${micros(costs.broker)}, ` +
      `PostgreSQL ${micros(costs.database)}`,
  };
}
