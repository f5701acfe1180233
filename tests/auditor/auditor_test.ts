import assert from "node:assert/strict";
import { isPassing, OperatorError } from "../../lib/core/failure.ts";
import type { AuditState } from "../../lib/io/postgres/audits.ts";
import { migrate } from "../../lib/io/postgres/schema/migrate.ts";
import { countAll, eventsOf, hourAgo } from "../support/audit_stand.ts";
import { RunningAuditor } from "../support/auditing.ts";
import { eventually } from "../support/eventually.ts";
import { kcatProduce } from "../support/kcat.ts";
import { createRole } from "../support/role.ts";
import { serverTest } from "../support/servers.ts";
import { openStack, type TestStack } from "../support/stack.ts";

/** Events of two lotteries and a bad record, counted. */
async function openCounted(): Promise<TestStack> {
  await using opened = new AsyncDisposableStack();
  const stack = opened.use(await openStack({ partitions: 2 }));
  for (const lottery of ["one", "two"]) {
    await kcatProduce(
      stack.topic,
      eventsOf(lottery, { fromMs: hourAgo(3), minutes: 60, perMinute: 2 }),
    );
  }
  await kcatProduce(stack.topic, ["{bad"]);
  await countAll(stack);
  const release = opened.move();
  return { ...stack, [Symbol.asyncDispose]: () => release.disposeAsync() };
}

const ROW =
  "lottery_name = 'one' and window_start = (select min(window_start) from lottery_aggregates)";

async function change({ database }: TestStack, text: string): Promise<void> {
  await database.connection.query({ text });
}

async function storedAudits({ database }: TestStack) {
  return await database.connection.query<{
    at: Date;
    from_time: Date | null;
    to_time: Date | null;
    rows: number;
    wrong: number;
    verdict: string;
    first_wrong: string[];
  }>({ text: "select * from audits order by at" });
}

serverTest(
  "an auditor recounts everything first, then what is new, and everything again once that is old",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    {
      await using auditor = await RunningAuditor.start(stack);
      await auditor.first((_, at) => at === 2);
    }
    const rows = await storedAudits(stack);
    assert.deepEqual([...new Set(rows.map(({ verdict }) => verdict))], ["agrees"]);
    assert.equal(rows[0]!.from_time, null);
    assert.ok(rows[0]!.to_time);
    assert.equal(rows[0]!.rows, 120 + 2 + 1);
    assert.ok(rows.slice(1).every(({ from_time }) => from_time !== null));
    {
      await using restarted = await RunningAuditor.start(stack);
      const { note } = await restarted.first();
      assert.notEqual(note.fromMs, null, "it continues where the other ended");
    }
    {
      await using daily = await RunningAuditor.start(stack, { fullEveryMs: 0 });
      await daily.first((_, at) => at === 1);
      assert.deepEqual(daily.rounds.slice(0, 2).map(({ note }) => note.fromMs), [null, null]);
    }
  },
);

serverTest(
  "what is wrong is named, stays wrong through restarts, and is right once it is undone",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    const known: (string | null)[] = [];
    {
      await using auditor = await RunningAuditor.start(stack);
      await auditor.first();
      await change(stack, `update lottery_aggregates set event_count = 5 where ${ROW}`);
      const { note } = await auditor.next();
      assert.equal(note.verdict, "wrong");
      assert.equal(note.fromMs, null, "everything was recounted to name it");
      assert.match(note.firstWrong[0]!, /^Window .*Z, one, pay: stored 5, recounted 2$/);
    }
    const wrong = (await storedAudits(stack)).find(({ verdict }) => verdict === "wrong")!;
    assert.match(wrong.first_wrong[0]!, /^Window .*Z, one, pay: stored 5, recounted 2$/);
    {
      await using auditor = await RunningAuditor.start(stack, {
        onRound: (_report, { verdict }, before) => {
          if (known.at(-1) !== verdict) known.push(before.verdict, verdict);
          if (verdict === "wrong") assert.equal(before.wrongSinceMs, wrong.at.getTime());
        },
      });
      assert.equal((await auditor.first()).note.verdict, "wrong");
      await change(stack, `update lottery_aggregates set event_count = 2 where ${ROW}`);
      const { note } = await auditor.first((round) => round.note.verdict === "agrees");
      assert.equal(note.fromMs, null, "everything was recounted before it is right");
      await auditor.next(({ note }) => note.fromMs !== null);
    }
    assert.deepEqual(known, ["wrong", "wrong", "wrong", "agrees"]);
  },
);

serverTest(
  "one auditor at a time audits a database, and another takes over when its session is lost",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    await using first = await RunningAuditor.start(stack);
    await first.first();
    await using second = await RunningAuditor.start(stack);
    const { connection } = stack.database;
    const sessions = async () =>
      await connection.query<{ pid: number; holds: boolean }>({
        text: `
          select pid, exists (
            select from pg_locks l where l.pid = a.pid and locktype = 'advisory' and granted
          ) as holds
          from pg_stat_activity a
          where application_name = 'lottery-events-auditor' and datname = current_database()`,
      });
    const both = await eventually(async () => {
      const found = await sessions();
      return found.length === 2 && found;
    });
    assert.equal(both.filter(({ holds }) => holds).length, 1);
    await first.next();
    assert.equal(second.rounds.length, 0);

    // Again and again, until the one that waits is faster than the one that comes back.
    const waiting = both.find(({ holds }) => !holds)!.pid;
    await eventually(async () => {
      const others = (await sessions()).filter(({ pid }) => pid !== waiting);
      for (const { pid } of others) {
        await connection.query({ text: "select pg_terminate_backend($1)", values: [pid] });
      }
      return second.rounds.length > 0;
    });
    await second.next();
    const rounds = first.rounds.length;
    await second.next();
    assert.equal(first.rounds.length, rounds);
    await second[Symbol.asyncDispose]();
    await first.first((_, at) => at >= rounds);
    const written = (await storedAudits(stack)).length;
    assert.equal(written, first.rounds.length + second.rounds.length);
  },
);

serverTest(
  "a round during which the pipeline is reset is dropped, whatever it found or failed with",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    const reset = () => change(stack, "update pipeline set epoch = epoch + 1");
    let rounds = 0;
    await using auditor = await RunningAuditor.start(stack, {
      complete: async (report) => {
        rounds++;
        if (rounds <= 2) await reset();
        if (rounds === 2) throw new OperatorError("The log ends before what was counted");
        return rounds <= 2 ? { ...report, verdict: "wrong" } : report;
      },
    });
    const { note } = await auditor.first();
    assert.equal(rounds, 3);
    assert.equal(note.verdict, "agrees");
    const [written] = await storedAudits(stack);
    assert.equal(written!.at.getTime(), note.atMs);
  },
);

serverTest(
  "what was wrong before a reset that empties the tables is known to the next round",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    await change(stack, `update lottery_aggregates set event_count = 5 where ${ROW}`);
    const before: AuditState[] = [];
    await using auditor = await RunningAuditor.start(stack, {
      onRound: (_report, note, state) => {
        if (note.verdict === "agrees") before.push(state);
      },
    });
    const { note: wrong } = await auditor.first();
    assert.equal(wrong.verdict, "wrong");
    await change(
      stack,
      `begin;
      truncate audits;
      update pipeline set epoch = epoch + 1;
      update lottery_aggregates set event_count = 2 where ${ROW};
      commit`,
    );
    await auditor.first(({ note }) => note.verdict === "agrees");
    const { verdict, wrongSinceMs } = before[0]!;
    assert.deepEqual([verdict, wrongSinceMs], ["wrong", wrong.atMs]);
  },
);

serverTest(
  "an auditor waits for the first counts, and writes nothing before",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack({ partitions: 1 });
    await kcatProduce(
      stack.topic,
      eventsOf("one", { fromMs: hourAgo(1), minutes: 1, perMinute: 2 }),
    );
    await using auditor = await RunningAuditor.start(stack);
    await migrate(stack.database.connection);
    assert.deepEqual(await storedAudits(stack), []);
    await countAll(stack);
    assert.equal((await auditor.first()).note.verdict, "agrees");
  },
);

serverTest(
  "an auditor's role may be one that reads, with three rights on audits and on alerts",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    await using role = await createRole(stack.database);
    await change(stack, `grant select on all tables in schema public to ${role.name}`);
    const database = { ...stack.database, url: role.url };
    {
      await using auditor = await RunningAuditor.start({ ...stack, database });
      const error = await auditor.running.then(() => null, (error) => error);
      assert.ok(!isPassing(error));
      const [, grants] = error.message.match(/`audit --watch` needs.* run: (grant .*;)$/);
      assert.equal(
        grants,
        `grant insert, update on table public.alerts to ${role.name}; ` +
          `grant insert, delete on table public.audits to ${role.name};`,
      );
      await change(stack, grants);
    }
    await using auditor = await RunningAuditor.start({ ...stack, database });
    assert.equal((await auditor.first()).note.verdict, "agrees");
    await auditor.next();
  },
);

serverTest(
  "an auditor waits while the tables are those of the version before",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openCounted();
    const missing = "delete from lottery_migrations where version > 3";
    await change(stack, `create table gone as table lottery_migrations; ${missing}`);
    await using auditor = await RunningAuditor.start(stack);
    const hasAsked = eventually(async () => {
      const sessions = await stack.database.connection.query({
        text: `
          select from pg_stat_activity
          where application_name = 'lottery-events-auditor' and datname = current_database()
            and query ~ 'from lottery_migrations' and state = 'idle'`,
      });
      return sessions.length > 0;
    });
    await Promise.race([hasAsked, auditor.running]);
    await change(
      stack,
      "delete from lottery_migrations; insert into lottery_migrations table gone",
    );
    assert.equal((await auditor.first()).note.verdict, "agrees");
  },
);
