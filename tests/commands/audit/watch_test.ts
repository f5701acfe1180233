import assert from "node:assert/strict";
import { countAll, eventsOf, hourAgo } from "../../support/audit_stand.ts";
import { eventually } from "../../support/eventually.ts";
import { openAdmin } from "../../support/kafka.ts";
import { kcatProduce } from "../../support/kcat.ts";
import { MailServer } from "../../support/mail_server.ts";
import { serverTest } from "../../support/servers.ts";
import { openStack, recordsRead, type TestStack } from "../../support/stack.ts";
import { Program, runProgram } from "../../support/worker_process.ts";

const WATCH = ["audit", "--watch", "10s"];
const HOUR = new Date(hourAgo(3)).toISOString().slice(0, 19).replace("T", " ");

/** Two hours of a lottery, and a bad record. */
async function produceHours({ topic }: TestStack): Promise<void> {
  await kcatProduce(topic, [
    ...eventsOf("one", { fromMs: hourAgo(3), minutes: 90, perMinute: 2 }),
    "{bad",
  ]);
}

/** Different verdicts of the rounds so far, one after the other. */
async function verdicts({ database }: TestStack): Promise<string[]> {
  const rows = await database.connection.query<{ verdict: string }>({
    text: "select verdict from audits order by at",
  });
  return rows.map(({ verdict }) => verdict).filter((verdict, at, all) => verdict !== all[at - 1]);
}

serverTest(
  "audit --watch writes each round and mails what is wrong and that it is right, also after kill -9",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using mailServer = await MailServer.start();
    await using stack = await openStack({ partitions: 1 });
    const { database: { connection }, topic } = stack;
    const env = { ...stack.env, ...mailServer.env, KAFKA_GROUP_ID: stack.env.KAFKA_GROUP_ID! };
    await produceHours(stack);
    await using _worker = await Program.start(["start"], { env });
    await eventually(async () => await recordsRead(stack.database) === 181);

    await using auditor = await Program.start(WATCH, { env });
    await auditor.printed(/"message":"Audit of everything: 93 rows recounted, all agree, in /);
    await using second = await Program.start(WATCH, { env });
    await second.printed(/Another auditor audits this database: waiting until it ends/);
    const [first] = await connection.query<{ from_time: Date | null; round_seconds: number }>({
      text: "select from_time, round_seconds from audits",
    });
    assert.deepEqual(first, { from_time: null, round_seconds: 10 });

    // Under a worker that counts.
    await connection.query({
      text: `
        update lottery_aggregates set event_count = 5 where window_start = '${HOUR}Z';
        update lottery_hours set event_count = 1 where hour_start = '${HOUR}Z'::timestamptz + interval '1 hour';
        update dead_letters set value = 'changed';
        update kafka_offsets set counted = counted + 3`,
    });
    await kcatProduce(topic, eventsOf("one", { fromMs: hourAgo(1), minutes: 1, perMinute: 2 }));
    const mail = await mailServer.received(/The tables do not match the topic/);
    assert.deepEqual(await verdicts(stack), ["agrees", "wrong"]);
    const [wrong] = await connection.query<{ first_wrong: string[] }>({
      text: "select first_wrong from audits where verdict = 'wrong'",
    });
    const named = [
      `Window ${HOUR}Z, one, pay: stored 5, recounted 2`,
      "Hour .*Z, one, pay: stored 1, its minutes have 60",
      "Dead letter at offset 180 of partition 0: stored not_json, content changed, recounted not_json, as received",
      String
        .raw`Partition 0, offsets \d+ to \d+: stored 18\d events and 1 dead letter, recounted 18\d events and 1 dead letter`,
      String.raw`The sum of events in hours: stored \d+, by the ledger 18\d`,
    ];
    for (const sentence of named) {
      const pattern = new RegExp(sentence);
      assert.ok(
        wrong!.first_wrong.some((text) => pattern.test(text)),
        `${sentence} in ${wrong!.first_wrong.join("; ")}`,
      );
      assert.match(mail.text, pattern);
    }
    assert.match(mail.subject, /: Window .*stored 5, recounted 2/);
    assert.match(mail.text, /What to do\r\n {2}`audit` lists everything that is wrong/);
    assert.doesNotMatch(mail.text, /Partitions|Last commit/);
    assert.match(
      auditor.stderr,
      /"level":"error","message":"Audit of everything: .* WRONG: Window /,
    );

    auditor.signal("SIGKILL");
    await auditor.exitCode();
    await second.printed(/The other auditor has ended: taking over/);
    await second.printed(/"message":"Audit of everything: .* WRONG: Window /); // and no other mail
    await connection.query({
      text: `
        update lottery_aggregates set event_count = 2 where window_start = '${HOUR}Z';
        update dead_letters set value = '{bad';
        update kafka_offsets set counted = counted - 3`,
    });
    await connection.query({ text: "call rebuild_hours()" });
    const recovered = await mailServer.received(/Recovered: the tables match the topic again/);
    assert.match(recovered.text, /recounted everything, and 9\d rows agree/);
    await second.printed(/Audit of the windows since .*Z: \d+ rows recounted, all agree/);
    assert.deepEqual(await verdicts(stack), ["agrees", "wrong", "agrees"]);
    const subjects = () => mailServer.mails.map(({ subject }) => subject.slice(0, 90)).join("\n");
    assert.equal(mailServer.mails.length, 2, subjects());

    // Wrong once more, sooner than two mails about the same error may be.
    await connection.query({
      text: `update lottery_aggregates set event_count = 7 where window_start = '${HOUR}Z'`,
    });
    await eventually(() => mailServer.mails.length > 2);
    assert.match(mailServer.mails[2]!.subject, /do not match the topic: Window .*stored 7, recoun/);
    await connection.query({
      text: `update lottery_aggregates set event_count = 2 where window_start = '${HOUR}Z'`,
    });
    await eventually(() => mailServer.mails.length > 3);
    assert.match(mailServer.mails[3]!.subject, /Recovered: the tables match the topic again/);

    second.signal("SIGTERM");
    assert.equal(await second.exitCode(), 0, second.stderr);
    assert.match(second.stderr, /"message":"Stopping"/);
    assert.equal(mailServer.mails.length, 4, subjects());
  },
);

serverTest(
  "audit --watch stops with a mail where an operator has to act, and with 0 while it waits",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using mailServer = await MailServer.start();
    await using stack = await openStack({ partitions: 1 });
    const env = { ...stack.env, ...mailServer.env };
    {
      await using waiting = await Program.start(WATCH, { env });
      await waiting.printed(/Cannot audit now, retrying until it works: Nothing has been counted/);
      waiting.signal("SIGINT");
      assert.equal(await waiting.exitCode(), 0, waiting.stderr);
    }
    await produceHours(stack);
    await countAll(stack);

    const { code, stderr } = await runProgram(WATCH, { env: { ...env, WINDOW_SECONDS: "30" } });
    assert.equal(code, 1);
    assert.match(stderr, /WINDOW_SECONDS is 30, but was 60/);
    const mail = await mailServer.received(/The auditor has stopped/);
    assert.match(mail.text, /WINDOW_SECONDS is 30, but was 60/);
    assert.deepEqual(await verdicts(stack), []);
  },
);

serverTest(
  "audit --watch says that a part of the topic is not counted, which is no mail",
  ["kafka", "postgres", "openssl"],
  async () => {
    await using mailServer = await MailServer.start();
    await using stack = await openStack({ partitions: 1 });
    const { topic } = stack;
    await produceHours(stack);
    await countAll(stack);
    {
      await using admin = await openAdmin(topic.brokers);
      await admin.createPartitions({ topicPartitions: [{ topic: topic.name, count: 2 }] });
    }
    await kcatProduce(topic, ["{bad"], { partition: 1 });

    const env = { ...stack.env, ...mailServer.env };
    await using auditor = await Program.start(WATCH, { env });
    await auditor.printed(
      /"level":"warn","message":"Audit of everything: 93 rows recounted, all agree, but not everything is counted: partition 1 was never counted/,
    );
    assert.deepEqual(await verdicts(stack), ["incomplete"]);
    auditor.signal("SIGTERM");
    assert.equal(await auditor.exitCode(), 0, auditor.stderr);
    assert.deepEqual(mailServer.mails, []);
  },
);

Deno.test("audit --watch takes from 10 seconds to a day, and prints no report", async () => {
  for (const interval of ["5s", "25h", "15", "1.5h", "-1m", "x"]) {
    const { code, stderr } = await runProgram(["audit", `--watch=${interval}`]);
    assert.equal(code, 2, interval);
    assert.match(stderr, /--watch <interval>.* is invalid\. It must be a length of time/);
  }
  for (const other of ["--json", "--since=6h", "--limit=5"]) {
    const { code, stderr } = await runProgram([...WATCH, other]);
    assert.equal(code, 2, other);
    assert.match(stderr, /cannot be used with option/);
  }
});
