/** What an auditor finds: everything that is changed by hand. `SEED=…` repeats a run. */

import assert from "node:assert/strict";
import { hourAgo } from "../support/audit_stand.ts";
import { RunningAuditor } from "../support/auditing.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultStand, faultTest } from "../support/fault_stand.ts";
import { kcatProduce } from "../support/kcat.ts";
import { Chance, sabotage, SABOTAGES } from "../support/sabotage.ts";
import { Program } from "../support/worker_process.ts";

const SABOTAGE_COUNT = 100;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** All windows are in the second half of an hour, so that a row can be moved to where none is. */
const FIRST_MINUTE = 30;

/** Events of 20 minutes of an hour, some late and some bad, as lines for a producer. */
function linesOf(hoursAgo: number, { count, chance }: { count: number; chance: Chance }): string[] {
  const hourMs = hourAgo(hoursAgo);
  return Array.from({ length: count }, (_, n) => {
    if (chance.next() < 0.02) return chance.pick(["{bad", "[]", '"text"', `{"n": ${n}}`]);
    const isLate = chance.next() < 0.02;
    const minute = FIRST_MINUTE + chance.whole(0, 19);
    return JSON.stringify({
      lottery_name: `lottery ${chance.whole(1, 5)}`,
      event_type: chance.pick(["clicked", "register", "pay"]),
      timestamp: hourMs + minute * MINUTE_MS + chance.whole(0, 59_999) - (isLate ? HOUR_MS : 0),
    });
  });
}

/** Counts some hours, one after the other, with a note for the audit before each. */
async function countHours(
  stand: FaultStand,
  { hoursAgo, chance }: { readonly hoursAgo: readonly number[]; readonly chance: Chance },
): Promise<void> {
  await using worker = await stand.startWorker();
  for (const hours of hoursAgo) {
    await kcatProduce(stand.topic, linesOf(hours, { count: 2_000, chance }));
    await stand.caughtUp();
    await stand.database.connection.query({
      text: "update offset_history set at = at - interval '11 minutes'",
    });
  }
  // Else the next round could recount nothing but everything.
  const lastHourMs = hourAgo(hoursAgo.at(-1)!);
  await eventually(async () => {
    const [row] = await stand.database.connection.query<{ closed_up_to: Date | null }>({
      text: "select closed_up_to from pipeline",
    });
    return (row!.closed_up_to?.getTime() ?? 0) > lastHourMs;
  });
  worker.signal("SIGTERM");
  await worker.exitCode();
}

faultTest(
  `of ${SABOTAGE_COUNT} sabotages at random, an auditor finds ${SABOTAGE_COUNT}, and names each`,
  { partitions: 3 },
  async (stand) => {
    const chance = new Chance(Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000));
    console.log(`SEED=${chance.seed}`);
    const { database: { connection }, topic } = stand;
    const count = async (...hoursAgo: number[]) => {
      await countHours(stand, { hoursAgo, chance });
      // The log has more than what is counted: an offset may also be too high.
      await kcatProduce(topic, linesOf(hoursAgo.at(-1)!, { count: 100, chance }));
    };
    await count(40, 36, 32, 28, 24, 20);
    await using auditor = await RunningAuditor.start(stand);
    const before = await auditor.first();
    assert.equal(before.note.verdict, "agrees", before.note.firstWrong.join("\n"));

    let found = 0;
    let hidden = 0;
    for (let n = 0; n < SABOTAGE_COUNT; n++) {
      // Each kind as often as any other, in any order.
      const kind = n < SABOTAGES.length ? SABOTAGES[n]! : chance.pick(SABOTAGES);
      const done = await sabotage({ connection, topic: topic.name, chance }, kind);
      let { note } = await auditor.next();
      if (note.verdict === "agrees" && done.isHidden) {
        hidden++;
        // A day passes.
        await connection.query({ text: "update audits set at = at - interval '1 day'" });
        ({ note } = await auditor.next());
      }
      const where = `SEED=${chance.seed}, sabotage ${n}: ${kind}, ${done.named}`;
      assert.equal(note.verdict, "wrong", where);
      const isNamed = note.firstWrong.some((sentence) => done.named.test(sentence));
      assert.ok(isNamed, `${where}\n${note.firstWrong.join("\n")}`);
      found++;
      await done.undo();
      const after = await auditor.next();
      assert.equal(after.note.verdict, "agrees", `${where}\n${after.note.firstWrong.join("\n")}`);
      // Work continues meanwhile.
      if (n % 25 === 24) await count(16 - n / 8);
    }
    console.log(
      `${found} found: ${found - hidden} in the next round, ${hidden} that change no sum in the ` +
        `next one of everything; ${auditor.rounds.length} rounds`,
    );
    assert.equal(found, SABOTAGE_COUNT);
  },
);

const WATCH = ["audit", "--watch", "10s"];

faultTest(
  "an auditor waits while Kafka or PostgreSQL is away or its session ends, and says so once",
  { ownsBroker: true, ownsPostgres: true },
  async (stand) => {
    await using worker = await stand.startWorker();
    await stand.produce(2_000);
    await stand.caughtUp();
    await using auditor = await Program.start(WATCH, { env: stand.env() });
    await auditor.printed(/rows recounted, all agree/);
    const rounds = async () =>
      (await stand.database.connection.query({ text: "select from audits" })).length;
    /** Waits until it has audited again, and returns what it has said of that. */
    const back = async (times: number) => {
      await eventually(() => matches(auditor.stderr, /Auditing again after/g) === times);
      assert.equal(matches(auditor.stderr, /Cannot audit now/g), times, auditor.stderr);
    };

    await stand.broker!.kill();
    const written = await rounds();
    await auditor.printed(/Cannot audit now, retrying until it works: .*Kafka/);
    assert.equal(await rounds(), written);
    await stand.broker!.restart();
    await back(1);

    await stand.postgres!.stop();
    await auditor.printed(/Cannot audit now, retrying until it works: .*PostgreSQL/);
    await stand.postgres!.restart();
    await back(2);

    await stand.produce(2_000);
    await stand.caughtUp();
    await stand.database.connection.query({
      text: `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'lottery-events-auditor'`,
    });
    const before = matches(auditor.stderr, /all agree/g);
    await eventually(() => matches(auditor.stderr, /all agree/g) > before);
    assert.doesNotMatch(auditor.stderr, /WRONG|"level":"error"/);
    auditor.signal("SIGTERM");
    assert.equal(await auditor.exitCode(), 0, auditor.stderr);
    worker.signal("SIGTERM");
    await worker.exitCode();
    await stand.assertExact();
  },
);

function matches(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

faultTest(
  "an auditor stops where an operator has to act: the tables stay those of another version, or the log is another one",
  { partitions: 1 },
  async (stand) => {
    await using _worker = await stand.startWorker();
    await stand.produce(200);
    await stand.caughtUp();
    const { connection } = stand.database;
    await connection.query({
      text: "create table gone as table lottery_migrations; " +
        "delete from lottery_migrations where version > 3",
    });
    await using outdated = await Program.start(WATCH, { env: stand.env() });
    await outdated.printed(
      /Cannot audit now, retrying until it works: The tables are not up to date/,
    );
    assert.equal(await outdated.exitCode(), 1, outdated.stderr);
    assert.match(outdated.stderr, /Run `migrate` first/);
    await connection.query({
      text: "delete from lottery_migrations; insert into lottery_migrations table gone",
    });
    await connection.query({ text: "update kafka_offsets set next_offset = next_offset + 1000" });
    await using other = await Program.start(WATCH, { env: stand.env() });
    assert.equal(await other.exitCode(), 1, other.stderr);
    assert.match(other.stderr, /"level":"error","message":".*partition 0/);
  },
);
