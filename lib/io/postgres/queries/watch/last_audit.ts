/**
 * What the newest round of `audit --watch` has found.
 * @module
 */

import type { Verdict } from "../../../../core/audit/audit.ts";
import type { AuditNote } from "../../../../core/audit/audit_note.ts";
import type { Connection, Row } from "../../session/connection.ts";

interface AuditRow extends Row {
  readonly at: Date;
  readonly from_time: Date | null;
  readonly to_time: Date | null;
  readonly records: number;
  readonly rows: number;
  readonly wrong: number;
  readonly not_provable: number;
  readonly seconds: number;
  readonly verdict: Verdict;
  readonly first_wrong: readonly string[];
  readonly round_seconds: number;
}

/** Null if none was ever recorded. */
export async function readLastAudit(connection: Connection): Promise<AuditNote | null> {
  const [row] = await connection.query<AuditRow>({
    text: `
      select
        at, from_time, to_time, records, rows, wrong, not_provable, seconds, verdict,
        first_wrong, round_seconds
      from audits
      order by at desc
      limit 1`,
  });
  if (!row) return null;
  return {
    atMs: row.at.getTime(),
    fromMs: row.from_time?.getTime() ?? null,
    toMs: row.to_time?.getTime() ?? null,
    records: row.records,
    rows: row.rows,
    wrong: row.wrong,
    notProvable: row.not_provable,
    seconds: row.seconds,
    verdict: row.verdict,
    firstWrong: row.first_wrong,
    roundMs: row.round_seconds * 1000,
  };
}
