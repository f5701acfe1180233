/**
 * The outbox in PostgreSQL, and the right to publish from it.
 * @module
 */

import type { ClosedCount, CountKey } from "../../core/windowing/closed_count.ts";
import type { TableCount } from "../../core/windowing/output_review.ts";
import type { Outbox } from "../../pipeline/publisher.ts";
import type { Connection, Row } from "./session/connection.ts";

/** How long the others wait for a publisher that says nothing more. */
const CLAIM_SECONDS = 10;
/** Rows that one step puts into the outbox. */
const STEP_ROWS = 5_000;

/** The outbox as one worker sees it, on a connection that belongs to the caller. */
export class PostgresOutbox implements Outbox {
  readonly #connection: Connection;
  readonly #workerId: string;

  constructor(connection: Connection, workerId: string) {
    this.#connection = connection;
    this.#workerId = workerId;
  }

  async claim(): Promise<boolean> {
    const rows = await this.#connection.query({
      text: `
        insert into output_publisher as p (holder, held_until)
        values ($1, now() + $2::integer * interval '1 second')
        on conflict (only_one) do update
          set holder = excluded.holder, held_until = excluded.held_until
          where p.holder = excluded.holder
            -- Held for longer than anyone can: the clock was ahead.
            or p.held_until not between now() and excluded.held_until + $2::integer * interval '1 second'
        returning holder`,
      values: [this.#workerId, CLAIM_SECONDS],
    });
    return rows.length > 0;
  }

  async release(): Promise<void> {
    await this.#connection.query({
      text: "delete from output_publisher where holder = $1",
      values: [this.#workerId],
    });
  }

  async renewRevisions(): Promise<void> {
    await this.#connection.query({ text: "select renew_revisions()" });
  }

  async fill(): Promise<void> {
    await this.#connection.query({ text: "select fill_outbox($1)", values: [STEP_ROWS] });
  }

  async next(limit: number): Promise<ClosedCount[]> {
    const rows = await this.#connection.query<OutboxRow>({
      text: `
        select window_start, window_end, lottery_name, event_type, event_count, revision
        from outbox
        order by window_start, lottery_name, event_type
        limit $1`,
      values: [limit],
    });
    return rows.map((row) => ({
      windowStartMs: row.window_start.getTime(),
      windowEndMs: row.window_end.getTime(),
      lotteryName: row.lottery_name,
      eventType: row.event_type,
      count: row.event_count,
      revision: row.revision,
    }));
  }

  async remove(counts: readonly ClosedCount[]): Promise<void> {
    // Skips what a commit is just changing: it has another revision soon. So neither waits for the other.
    await this.#connection.query({
      text: `
        with acknowledged as (
          select o.window_start, o.lottery_name, o.event_type
          from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
            as sent (start_ms, lottery_name, event_type, revision)
          join outbox o
            on o.window_start = to_timestamp(sent.start_ms / 1000.0)
            and o.lottery_name = sent.lottery_name
            and o.event_type = sent.event_type
            and o.revision = sent.revision
          for update of o skip locked
        )
        delete from outbox o
        using acknowledged a
        where o.window_start = a.window_start
          and o.lottery_name = a.lottery_name
          and o.event_type = a.event_type`,
      values: [...keyColumns(counts), counts.map(({ revision }) => revision)],
    });
  }

  async isReviewDue(): Promise<boolean> {
    const [row] = await this.#connection.query<{ is_due: boolean }>({
      text: `
        select outbox_up_to is not null and output_compared_with is distinct from database_version()
          as is_due
        from pipeline`,
    });
    return row!.is_due;
  }

  async lookUp(keys: readonly CountKey[]): Promise<TableCount[]> {
    const rows = await this.#connection.query<TableCountRow>({
      text: `
        select
          a.event_count,
          window_start < coalesce(p.aggregates_horizon, '-infinity') as is_deleted,
          window_start < coalesce(p.outbox_up_to, '-infinity') as is_handed_over
        from pipeline p
        cross join lateral (
          select to_timestamp(start_ms / 1000.0) as window_start, lottery_name, event_type, place
          from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality
            as keys (start_ms, lottery_name, event_type, place)
        ) asked
        left join lottery_aggregates a using (window_start, lottery_name, event_type)
        order by place`,
      values: keyColumns(keys),
    });
    return rows.map((row) => ({
      count: row.event_count,
      isDeleted: row.is_deleted,
      isHandedOver: row.is_handed_over,
    }));
  }

  async takeAgain(keys: readonly CountKey[]): Promise<void> {
    await this.#connection.query({
      text: "select publish_again($1, $2, $3)",
      values: keyColumns(keys),
    });
  }

  async reviewed(): Promise<void> {
    await this.#connection.query({
      text: "update pipeline set output_compared_with = database_version()",
    });
  }
}

function keyColumns(keys: readonly CountKey[]): unknown[] {
  return [
    keys.map(({ windowStartMs }) => windowStartMs),
    keys.map(({ lotteryName }) => lotteryName),
    keys.map(({ eventType }) => eventType),
  ];
}

interface TableCountRow extends Row {
  readonly event_count: number | null;
  readonly is_deleted: boolean;
  readonly is_handed_over: boolean;
}

interface OutboxRow extends Row {
  readonly window_start: Date;
  readonly window_end: Date;
  readonly lottery_name: string;
  readonly event_type: string;
  readonly event_count: number;
  readonly revision: number;
}
