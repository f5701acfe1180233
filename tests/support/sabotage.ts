/**
 * Changes by hand to what is stored, at random places, as no program of ours makes them.
 * @module
 */

import type { Connection } from "../../lib/io/postgres/session/connection.ts";
import { hash } from "../../lib/core/simulation/hash.ts";
import { utcTime } from "../../lib/core/text/time.ts";

/** Numbers that a seed repeats. */
export class Chance {
  readonly seed: number;
  #n = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A number in [0, 1). */
  next(): number {
    return hash(this.seed, this.#n++, 0);
  }

  /** A whole number in [from, to]. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }
}

export interface Sabotage {
  /** What one of the sentences about it says. */
  readonly named: RegExp;
  /** True if all sums are as before: only recounting everything shows it. */
  readonly isHidden: boolean;
}

interface Tools {
  readonly connection: Connection;
  readonly topic: string;
  readonly chance: Chance;
}

interface Kind {
  readonly table: string;
  readonly harm: (tools: Tools) => Promise<Sabotage>;
}

interface Counted {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly start: Date;
  readonly lottery_name: string;
  readonly event_type: string;
}

/** One row in three is among the newest, where the next round recounts anyway. */
async function anyRow<T extends { readonly [column: string]: unknown }>(
  { connection, chance }: Tools,
  { columns, from, order }: {
    readonly columns: string;
    readonly from: string;
    readonly order: string;
  },
): Promise<T> {
  const rows = await connection.query<T>({
    text: `select ctid::text as id, ${columns} from ${from} order by ${order} desc`,
  });
  return chance.pick(chance.next() < 1 / 3 ? rows.slice(0, 20) : rows);
}

async function anyCount(tools: Tools, table: "lottery_aggregates" | "lottery_hours") {
  const start = table === "lottery_hours" ? "hour_start" : "window_start";
  return await anyRow<Counted>(tools, {
    columns: `${start} as start, lottery_name, event_type`,
    from: table,
    order: `${start}, lottery_name, event_type`,
  });
}

interface Letter {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly partition: number;
  readonly kafka_offset: number;
}

async function anyLetter(tools: Tools): Promise<Letter> {
  return await anyRow<Letter>(tools, {
    columns: "partition, kafka_offset",
    from: "dead_letters",
    order: "kafka_offset, partition",
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function windowNamed(startMs: number, { lottery_name, event_type }: Counted): RegExp {
  return new RegExp(
    `^Window ${utcTime(startMs)}, ${escaped(lottery_name)}, ${escaped(event_type)}: `,
  );
}

function hourNamed(startMs: number, { lottery_name, event_type }: Counted): RegExp {
  return new RegExp(
    `^Hour ${utcTime(startMs)}, ${escaped(lottery_name)}, ${escaped(event_type)}: `,
  );
}

function letterNamed({ partition, kafka_offset }: Letter): RegExp {
  return new RegExp(`^Dead letter at offset ${kafka_offset} of partition ${partition}: `);
}

/** By itself; more than one, never to none. */
const OTHER_COUNT =
  "case when event_count > 1 and $2 < 0 then event_count - 1 else event_count + abs($2) end";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A column of letters is changed, and so is its hash, if `hash` says so. */
function letterChanged(column: "key" | "value"): Kind {
  return {
    table: "dead_letters",
    harm: async (tools) => {
      const letter = await anyLetter(tools);
      const bytes = crypto.getRandomValues(new Uint8Array(tools.chance.whole(0, 40)));
      await tools.connection.query({
        text: `update dead_letters set ${column} = coalesce(${column}, '') || '!' || $2::bytea
          where ctid = $1::tid`,
        values: [letter.id, bytes],
      });
      return { named: letterNamed(letter), isHidden: false };
    },
  };
}

/** A counter of a partition is raised or lowered. */
function counterChanged(column: "counted" | "dead"): Kind {
  return {
    table: "kafka_offsets",
    harm: async ({ connection, topic, chance }) => {
      const partition = await anyPartition({ connection, topic, chance });
      await connection.query({
        text: `update kafka_offsets set ${column} = ${column} + $3
          where topic = $1 and partition = $2`,
        values: [topic, partition, chance.pick([-3, -1, 1, 2, 1_000])],
      });
      return { named: new RegExp(`^Partition ${partition}, `), isHidden: false };
    },
  };
}

async function anyPartition({ connection, topic, chance }: Tools): Promise<number> {
  const rows = await connection.query<{ partition: number }>({
    text: "select partition from kafka_offsets where topic = $1 order by 1",
    values: [topic],
  });
  return chance.pick(rows).partition;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "a row is changed": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_aggregates");
      await tools.connection.query({
        text: `update lottery_aggregates set event_count = ${OTHER_COUNT} where ctid = $1::tid`,
        values: [row.id, tools.chance.pick([-1, 1, 7, 1_000])],
      });
      return { named: windowNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "a row is deleted": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_aggregates");
      await tools.connection.query({
        text: "delete from lottery_aggregates where ctid = $1::tid",
        values: [row.id],
      });
      return { named: windowNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "a row is added": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const like = await anyCount(tools, "lottery_aggregates");
      const row = { ...like, lottery_name: `added ${tools.chance.whole(0, 1_000_000)}` };
      await tools.connection.query({
        text: `
          insert into lottery_aggregates
          select window_start, window_end, $2, event_type, $3 from lottery_aggregates
          where ctid = $1::tid`,
        values: [row.id, row.lottery_name, tools.chance.whole(1, 100)],
      });
      return { named: windowNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "a row is moved to another hour": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_aggregates");
      // No window is there: they are all in the second half of their hours.
      const movedMs = row.start.getTime() - row.start.getTime() % HOUR_MS +
        tools.chance.pick([-3, -2, -1, 1, 2, 3]) * HOUR_MS + tools.chance.whole(1, 20) * MINUTE_MS;
      return await moveRow(tools, row, movedMs);
    },
  },
  "a row is moved within its hour": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_aggregates");
      const hourMs = row.start.getTime() - row.start.getTime() % HOUR_MS;
      const movedMs = hourMs + tools.chance.whole(1, 20) * MINUTE_MS;
      return { ...await moveRow(tools, row, movedMs), isHidden: true };
    },
  },
  "a row ends at another time": {
    table: "lottery_aggregates",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_aggregates");
      await tools.connection.query({
        text: `update lottery_aggregates set window_end = window_end + interval '1 minute'
          where ctid = $1::tid`,
        values: [row.id],
      });
      return { named: windowNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "an hour is changed": {
    table: "lottery_hours",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_hours");
      await tools.connection.query({
        text: `update lottery_hours set event_count = ${OTHER_COUNT} where ctid = $1::tid`,
        values: [row.id, tools.chance.pick([-1, 1, 60])],
      });
      return { named: hourNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "an hour is deleted": {
    table: "lottery_hours",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_hours");
      await tools.connection.query({
        text: "delete from lottery_hours where ctid = $1::tid",
        values: [row.id],
      });
      return { named: hourNamed(row.start.getTime(), row), isHidden: false };
    },
  },
  "an hour is added": {
    table: "lottery_hours",
    harm: async (tools) => {
      const row = await anyCount(tools, "lottery_hours");
      const startMs = row.start.getTime() - 100 * HOUR_MS;
      await tools.connection.query({
        text: `
          insert into lottery_hours (hour_start, lottery_name, event_type, event_count)
          values ($1, $2, $3, $4)`,
        values: [
          new Date(startMs).toISOString(),
          row.lottery_name,
          row.event_type,
          tools.chance.whole(1, 9),
        ],
      });
      return { named: hourNamed(startMs, row), isHidden: false };
    },
  },
  "a dead letter's value is changed": letterChanged("value"),
  "a dead letter's key is changed": letterChanged("key"),
  "a dead letter's reason is changed": {
    table: "dead_letters",
    harm: async (tools) => {
      const letter = await anyLetter(tools);
      await tools.connection.query({
        text: "update dead_letters set reason = 'not_utf8' where ctid = $1::tid",
        values: [letter.id],
      });
      return { named: letterNamed(letter), isHidden: true };
    },
  },
  "a dead letter is deleted": {
    table: "dead_letters",
    harm: async (tools) => {
      const letter = await anyLetter(tools);
      await tools.connection.query({
        text: "delete from dead_letters where ctid = $1::tid",
        values: [letter.id],
      });
      return { named: letterNamed(letter), isHidden: false };
    },
  },
  "a dead letter is added": {
    table: "dead_letters",
    harm: async (tools) => {
      const like = await anyLetter(tools);
      const [letter] = await tools.connection.query<Letter>({
        text: `
          insert into dead_letters (
            topic, partition, kafka_offset, reason, record_timestamp, key, value, headers,
            content_sha256
          )
          select
            topic, partition, kafka_offset + 1, reason, record_timestamp, key, value, headers,
            content_sha256
          from dead_letters like_it
          where partition = $1 and kafka_offset >= $2 and not exists (
            select from dead_letters next
            where (next.topic, next.partition) = (like_it.topic, like_it.partition)
              and next.kafka_offset = like_it.kafka_offset + 1
          )
          order by kafka_offset
          limit 1
          returning ctid::text as id, partition, kafka_offset`,
        values: [like.partition, like.kafka_offset],
      });
      return { named: letterNamed(letter!), isHidden: false };
    },
  },
  "a partition's counted is changed": counterChanged("counted"),
  "a partition's dead is changed": counterChanged("dead"),
  "a partition's next_offset is changed": {
    table: "kafka_offsets",
    harm: async ({ connection, topic, chance }) => {
      const partition = await anyPartition({ connection, topic, chance });
      await connection.query({
        text: `update kafka_offsets set next_offset = greatest(0, next_offset + $3)
          where topic = $1 and partition = $2`,
        values: [topic, partition, chance.pick([-200, -30, -1, 1, 2, 5])],
      });
      return { named: new RegExp(`^Partition ${partition}, `), isHidden: false };
    },
  },
  "the deleted events are changed": {
    table: "pipeline",
    harm: async ({ connection, chance }) => {
      await connection.query({
        text: "update pipeline set deleted_events = deleted_events + $1",
        values: [chance.whole(1, 1_000)],
      });
      return { named: /^The sum of events in rows of counts: /, isHidden: false };
    },
  },
};

async function moveRow(
  { connection }: Tools,
  row: Counted,
  movedMs: number,
): Promise<Sabotage> {
  await connection.query({
    text: `update lottery_aggregates
      set window_start = $2::timestamptz, window_end = $2::timestamptz + interval '1 minute'
      where ctid = $1::tid`,
    values: [row.id, new Date(movedMs).toISOString()],
  });
  return { named: windowNamed(row.start.getTime(), row), isHidden: false };
}

export const SABOTAGES: readonly string[] = Object.keys(KINDS);

/** Does one thing, and tells how it can be undone. */
export async function sabotage(
  tools: Tools,
  kind: string,
): Promise<Sabotage & { readonly undo: () => Promise<void> }> {
  const { connection } = tools;
  const { table, harm } = KINDS[kind]!;
  await connection.query({ text: `create table before_it as table ${table}` });
  const done = await harm(tools);
  return {
    ...done,
    undo: async () => {
      await connection.transaction(async () => {
        await connection.query({ text: `delete from ${table}` });
        await connection.query({ text: `insert into ${table} table before_it` });
        await connection.query({ text: "drop table before_it" });
      });
    },
  };
}
