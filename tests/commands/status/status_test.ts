import assert from "node:assert/strict";
import { countAll, deleteRecords } from "../../support/audit_stand.ts";
import { makeLines } from "../../support/event_lines.ts";
import { eventually } from "../../support/eventually.ts";
import { Expectation } from "../../support/expectation.ts";
import { freePort } from "../../support/free_port.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead } from "../../support/stack.ts";
import { AUDIT, QUIET } from "../../support/watched.ts";
import { insertAudit, insertQuiet } from "../../support/watched_tables.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

serverTest(
  "status shows partitions, workers, closed windows and dead letters, and exits 0",
  ["kafka", "postgres"],
  async () => {
    await using stack = await openStack();
    const { env, topic, database } = stack;
    const expected = new Expectation();
    await kcatProduce(topic, makeLines(20_000, expected));
    await using worker = await Program.start(["start"], { env });
    await eventually(async () => await recordsRead(database).catch(() => 0) === 20_000);
    // The worker reads the watermark periodically.
    const { stdout } = await eventually(async () => {
      const answer = await runProgram(["status", "--json"], { env });
      assert.equal(answer.code, 0, `${answer.stdout}${answer.stderr}`);
      assert.notEqual(JSON.parse(answer.stdout).closed_up_to, null);
      return answer;
    });
    const status = JSON.parse(stdout);
    assert.equal(status.topic, topic.name);
    assert.equal(status.partitions.length, 4);
    for (const partition of status.partitions) {
      assert.equal(partition.stored_offset, partition.end_offset);
      assert.equal(partition.lag, 0);
      assert.match(partition.committed_at, /^\d{4}-/);
      assert.match(partition.watermark, /^\d{4}-/);
    }
    assert.equal(
      status.partitions.reduce(
        (sum: number, each: { end_offset: number }) => sum + each.end_offset,
        0,
      ),
      20_000,
    );
    assert.deepEqual(status.members[0].partitions, [0, 1, 2, 3]);
    assert.equal(status.workers.length, 1);
    assert.equal(status.workers[0].host, Deno.hostname());
    assert.deepEqual(
      new Map(
        status.dead_letters.map((
          { reason, records }: { reason: string; records: number },
        ) => [reason, records]),
      ),
      expected.dead,
    );
    assert.deepEqual(status.problems, []);

    // Closed by the grace of the workers, and not of who asks: as the view says.
    const text = await eventually(async () => {
      const answer = await runProgram(["status"], { env: { ...env, GRACE_SECONDS: "3600" } });
      const [row] = await database.connection.query<{ closed: Date }>({
        text: "select max(window_end) as closed from lottery_windows where closed",
      });
      const closed = row!.closed.toISOString().slice(0, 19).replace("T", " ");
      assert.ok(answer.stdout.includes(`Closed windows: up to ${closed}Z\n`), answer.stdout);
      return answer;
    });
    assert.match(text.stdout, /^ +\d+ +0 +not_json$/m);
    assert.match(
      text.stdout,
      /^partition +stored offset +end offset +lag +watermark +last commit$/m,
    );
    assert.match(text.stdout, /on [^ ]+, partitions 0, 1, 2, 3$/m);
    assert.match(text.stdout, /^Nothing needs attention\.$/m);
    worker.signal("SIGTERM");
  },
);

serverTest("status exits 1 and says what needs attention", ["kafka", "postgres"], async () => {
  await using stack = await openStack({ partitions: 1 });
  const { env, topic, database } = stack;
  const problems = async (changes: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await runProgram(["status", "--json"], {
      env: { ...env, ...changes },
    });
    const { problems } = JSON.parse(stdout || '{"problems":[]}');
    assert.equal(code, stdout !== "" && problems.length === 0 ? 0 : 1, stderr);
    return stdout === "" ? stderr : problems.join("\n");
  };
  assert.match(await problems(), /Run `migrate` first/);
  await kcatProduce(topic, makeLines(1_000, new Expectation()));
  await countAll(stack);
  assert.equal(await problems(), "", "no worker, but nothing to do");

  const { connection } = database;
  const wrong = { ...AUDIT, verdict: "wrong", wrong: 2, firstWrong: ["Window a: b"] } as const;
  await insertAudit(connection, wrong);
  assert.match(await problems(), /^The last audit, at 2026-01-01 .* found 2 differences: Window a/);
  await insertAudit(connection, { ...AUDIT, atMs: AUDIT.atMs + 1 });
  await insertQuiet(connection, QUIET);
  assert.equal(await problems(), "", "it is overdue, and a lottery is quiet: that is only said");
  const { stdout } = await runProgram(["status"], { env });
  assert.match(stdout, /^Last audit: 2026-.*, all agree \(overdue: the next ones are missing\)$/m);
  assert.match(
    stdout,
    /^Quiet lotteries: 1\n {2}mega_draw, pay, since 2026-.*: 2 of 1,140 expected/m,
  );
  await connection.query({ text: "update pipeline set replayed_letters = replayed_letters + 3" });
  assert.match(await problems(), /^The books do not balance: lottery_hours has 3 events fewer/);
  await connection.query({ text: "update pipeline set replayed_letters = replayed_letters - 3" });

  await kcatProduce(topic, makeLines(500, new Expectation()));
  assert.match(await problems(), /^500 records are waiting to be counted, but the group/);
  assert.match(await problems({ WINDOW_SECONDS: "300" }), /WINDOW_SECONDS is 300, but was 60/);
  const away = { KAFKA_BROKERS: `127.0.0.1:${freePort()}` };
  assert.match(await problems(away), /^Cannot reach Kafka/);
  const text = await runProgram(["status"], { env: { ...env, ...away } });
  assert.match(text.stdout, /^ +0 +1,000 +– +–/m, "what PostgreSQL knows is shown all the same");

  await deleteRecords(stack, new Map([[0, 1_200]]));
  assert.match(
    await problems(),
    /Kafka has deleted 200 offsets before they were counted \(stored 1000, the log starts at 1200\)/,
  );
  assert.match(
    await problems({ DATABASE_URL: `postgres://a:b@127.0.0.1:${freePort()}/x` }),
    /Cannot reach PostgreSQL/,
  );
});
