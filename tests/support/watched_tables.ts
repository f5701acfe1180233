/**
 * Rounds of the audit and quiet lotteries in a database, as an auditor and a worker write them.
 */

import type { AuditNote } from "../../lib/core/audit/audit_note.ts";
import type { QuietLottery } from "../../lib/core/views/quiet.ts";
import type { Connection } from "../../lib/io/postgres/session/connection.ts";

export async function insertAudit(connection: Connection, note: AuditNote): Promise<void> {
  const time = (ms: number | null) => ms === null ? null : new Date(ms);
  await connection.query({
    text: `
      insert into audits (
        at, from_time, to_time, records, rows, wrong, not_provable, seconds, verdict, first_wrong,
        round_seconds
      ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [
      ...[time(note.atMs), time(note.fromMs), time(note.toMs), note.records, note.rows, note.wrong],
      ...[note.notProvable, note.seconds, note.verdict, note.firstWrong, note.roundMs / 1000],
    ],
  });
}

export async function insertQuiet(connection: Connection, lottery: QuietLottery): Promise<void> {
  await connection.query({
    text: `
      insert into quiet_lotteries (
        lottery_name, event_type, quiet_since, judged_from, judged_to, event_count, expected_count,
        weeks
      ) values ($1, $2, $3, $3, $3::timestamptz + interval '15 minutes', $4, $5, $6)`,
    values: [
      ...[lottery.lotteryName, lottery.eventType, new Date(lottery.quietSinceMs)],
      ...[lottery.events, lottery.expected, lottery.weeks],
    ],
  });
}
