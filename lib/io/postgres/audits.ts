/**
 * What the rounds of `audit --watch` have found, in the table `audits`.
 * @module
 */

import type { Verdict } from "../../core/audit/audit.ts";
import type { AuditNote } from "../../core/audit/audit_note.ts";
import { isoTime } from "../../core/text/time.ts";
import type { Connection } from "./session/connection.ts";

/**
 * Writes what a round has found, unless the counts are others since. Rows that are a year old are
 * deleted, and so are later ones: the database's clock was ahead when they were written.
 * @param epoch of the pipeline when the round began.
 * @returns false if the pipeline was reset since.
 */
export async function recordAudit(
  connection: Connection,
  note: AuditNote,
  { epoch }: { readonly epoch: number },
): Promise<boolean> {
  const at = isoTime(note.atMs);
  const written = await connection.query({
    text: `
      insert into audits (
        at, from_time, to_time, records, rows, wrong, not_provable, seconds, verdict, first_wrong,
        round_seconds
      )
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
      from pipeline
      where epoch = $12
      on conflict (at) do nothing
      returning at`,
    values: [
      at,
      isoTime(note.fromMs),
      isoTime(note.toMs),
      note.records,
      note.rows,
      note.wrong,
      note.notProvable,
      note.seconds,
      note.verdict,
      note.firstWrong,
      Math.max(1, Math.round(note.roundMs / 1000)),
      epoch,
    ],
  });
  if (written.length === 0) return false;
  await connection.query({
    text: "delete from audits where at < now() - interval '1 year' or at > $1",
    values: [at],
  });
  return true;
}

/** What earlier rounds have left to do for the next one. */
export interface AuditState {
  /** Of the last round; null before the first. */
  readonly verdict: Verdict | null;
  /** Up to when the last round that found nothing wrong had closed windows to recount. */
  readonly toMs: number | null;
  /** Age of the last round that recounted everything it could, and found nothing wrong. */
  readonly fullAgeMs: number | null;
  /** The first round that found something wrong after that; null if none has. */
  readonly wrongSinceMs: number | null;
}

export async function auditState(connection: Connection): Promise<AuditState> {
  const [row] = await connection.query<{
    verdict: Verdict | null;
    to_time: Date | null;
    full_age: number | null;
    wrong_since: Date | null;
  }>({
    text: `
      with good as materialized (
        select at, to_time from audits where verdict <> 'wrong' order by at desc limit 1
      )
      select
        (select verdict from audits order by at desc limit 1) as verdict,
        (select to_time from good) as to_time,
        (
          select min(at)
          from audits
          where at > coalesce((select at from good), '-infinity')
        ) as wrong_since,
        (
          select extract(epoch from now() - at)::double precision
          from audits
          where verdict <> 'wrong' and from_time is null
          order by at desc
          limit 1
        ) as full_age`,
  });
  const { verdict, to_time, full_age, wrong_since } = row!;
  return {
    verdict,
    toMs: to_time?.getTime() ?? null,
    fullAgeMs: full_age === null ? null : full_age * 1000,
    wrongSinceMs: wrong_since?.getTime() ?? null,
  };
}
