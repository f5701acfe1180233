import assert from "node:assert/strict";
import { statusLines } from "../../../lib/commands/status/report.ts";
import type { Status } from "../../../lib/core/views/status.ts";
import { STATUS } from "../../support/status.ts";
import { AUDIT, QUIET } from "../../support/watched.ts";

/** The lines between closed windows and dead letters. */
function linesOf(status: Partial<Status>, nowMs = AUDIT.atMs): string[] {
  const lines = statusLines({ status: { ...STATUS, ...status }, problems: [], nowMs });
  return lines.slice(
    lines.indexOf("Closed windows: none yet") + 1,
    lines.indexOf("Dead letters: none"),
  )
    .filter((line) => line !== "");
}

const auditLine = (audit: Status["audit"], nowMs?: number) => linesOf({ audit }, nowMs)[0];

Deno.test("status tells of the last audit in a line, whatever it found", () => {
  const at = "Last audit: 2026-01-01 11:56:30Z";
  assert.equal(auditLine(null), "Last audit: none");
  assert.equal(auditLine(AUDIT), `${at}, 1,064 rows recounted, all agree`);
  assert.equal(
    auditLine({ ...AUDIT, verdict: "not provable", notProvable: 12 }),
    `${at}, 1,064 rows recounted, all agree, 12 not provable`,
  );
  assert.equal(
    auditLine({ ...AUDIT, verdict: "incomplete" }),
    `${at}, 1,064 rows recounted, all agree, but a part of the topic is in no count`,
  );
  assert.equal(
    auditLine({ ...AUDIT, verdict: "wrong", wrong: 2 }),
    `${at}, 2 WRONG, 1,064 rows agree`,
  );
});

Deno.test("status says of an audit that it is overdue from two rounds on", () => {
  const dueMs = AUDIT.atMs + 2 * AUDIT.roundMs + AUDIT.seconds * 1_000;
  assert.doesNotMatch(auditLine(AUDIT, dueMs)!, /overdue/);
  assert.match(auditLine(AUDIT, dueMs + 1)!, /, all agree \(overdue: the next ones are missing\)$/);
});

Deno.test("status lists quiet lotteries, whatever is in their names", () => {
  assert.deepEqual(linesOf({}).slice(1), ["Quiet lotteries: none"]);
  const hostile = { ...QUIET, lotteryName: "a\u001b[2J\nb", eventType: "p\u202ey", weeks: 1 };
  assert.deepEqual(linesOf({ quiet: { total: 102, listed: [QUIET, hostile] } }).slice(1), [
    "Quiet lotteries: 102",
    "  mega_draw, pay, since 2026-01-01 11:20:00Z: 2 of 1,140 expected events, by the last 4 weeks",
    "  a\\u{1b}[2J\\nb, p\\u{202e}y, since 2026-01-01 11:20:00Z: 2 of 1,140 expected events, by the last week",
    "  and 100 more",
  ]);
});
