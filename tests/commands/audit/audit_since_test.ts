import assert from "node:assert/strict";
import { expireAggregates, expireDeadLetters } from "../../../lib/io/postgres/retention.ts";
import {
  auditReport,
  countAll,
  deleteRecords,
  eventsOf,
  hourAgo,
} from "../../support/audit_stand.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack } from "../../support/stack.ts";
import { runProgram } from "../../support/worker_process.ts";

serverTest(
  "audit knows of dead letters that were replayed, and of what was deleted for its age",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    const { topic, database: { connection }, env } = stack;
    const events = (lottery: string, hours: number) =>
      eventsOf(lottery, { fromMs: hourAgo(hours), minutes: 2, perMinute: 10 });
    await kcatProduce(topic, [...events("old", 72), ...events("young", 24)]);
    await kcatProduce(topic, ["{bad", "[]", ""]); // offsets 40 to 42
    await countAll(stack);

    const repair = {
      lottery_name: "repaired",
      event_type: "pay",
      timestamp: new Date(hourAgo(24)).toISOString(),
    };
    const set = Object.entries(repair).flatMap(([field, value]) => ["--set", `${field}=${value}`]);
    const replay = ["dead-letters", "replay", "0/40", "0/41", ...set];
    assert.equal((await runProgram(replay, { env })).code, 0);
    const { code, stdout } = await runProgram(["audit"], { env });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /42 events and 3 dead letters, after replaying 2 dead letters$/m);

    assert.match((await runProgram(["status"], { env })).stdout, /^ +1 +1 +not_json$/m);

    assert.equal(
      (await expireAggregates(connection, { retentionDays: 1, nowMs: Date.now() })).deletedRows,
      2,
    );
    await kcatProduce(topic, events("late", 72)); // offsets 43 to 62: expired
    await countAll(stack);
    await connection.query({
      text: `
        update dead_letters
        set received_at = now() - interval '9 days', record_timestamp = now() - interval '9 days'
        where kafka_offset in (42, 45, 50)`,
    });
    assert.equal(
      (await expireDeadLetters(connection, { retentionDays: 5, nowMs: Date.now() })).deletedRows,
      3,
    );
    const deleted = await auditReport(stack);
    assert.equal(deleted.code, 0, JSON.stringify(deleted));
    assert.deepEqual(deleted.rows, { agreeing: 3, wrong: 0, not_provable: 0 });
    assert.deepEqual(deleted.dead_letters, { agreeing: 20, wrong: 0, not_provable: 0 });

    const isFound = async (sabotage: string, undo: string) => {
      await connection.query({ text: sabotage });
      const report = await auditReport(stack);
      assert.equal(report.code, 1, sabotage);
      await connection.query({ text: undo });
      return report;
    };
    const counted = await isFound(
      "update lottery_aggregates set event_count = 1 where lottery_name = 'repaired'",
      "update lottery_aggregates set event_count = 2 where lottery_name = 'repaired'",
    );
    assert.deepEqual(
      counted.row_differences.map((
        { lottery_name, stored, recounted },
      ) => [lottery_name, stored, recounted]),
      [["repaired", 1, 2]],
    );
    const moved = await isFound(
      "update dead_letters set replayed_window = replayed_window + interval '1 h' where kafka_offset = 40",
      "update dead_letters set replayed_window = replayed_window - interval '1 h' where kafka_offset = 40",
    );
    assert.deepEqual(moved.dead_letter_differences.map(({ offset }) => offset), [40]);
    const expired = await isFound(
      "update dead_letters set reason = 'not_json' where kafka_offset = 60",
      "update dead_letters set reason = 'expired_window' where kafka_offset = 60",
    );
    assert.deepEqual(
      expired.dead_letter_differences.map(({ offset, recounted }) => [offset, recounted]),
      [[60, null]],
    );
    const unbalanced = await isFound(
      "update pipeline set deleted_events = deleted_events - 1",
      "update pipeline set deleted_events = deleted_events + 1",
    );
    assert.equal(unbalanced.ledger.balance, false);

    // All is as it was. A replay says itself what was counted: it needs no record.
    await deleteRecords(stack, new Map([[0, 41]]));
    const gone = await auditReport(stack);
    assert.equal(gone.code, 3, JSON.stringify(gone));
    assert.deepEqual(gone.rows, { agreeing: 0, wrong: 0, not_provable: 3 });
  },
);
