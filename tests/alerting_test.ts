import assert from "node:assert/strict";
import { type AlertClaims, Alerting, type MailChannel } from "../lib/alerting.ts";
import type { Mail, Situation } from "../lib/core/alert.ts";
import { OperatorError, UnavailableError } from "../lib/core/failure.ts";
import { Condition } from "../lib/condition.ts";
import { commitOf } from "./support/sink_contract.ts";

const SITUATION: Situation = {
  host: "counter-1",
  groupId: "group",
  topic: "topic",
  brokers: ["kafka:9092"],
  database: "db",
  partitions: [],
  lastCommitMs: null,
};

/** Keeps mails, and may refuse them. */
class Mailbox implements MailChannel {
  readonly mails: Mail[] = [];
  readonly changed = new Condition();
  problem: Error | null = null;

  send(mail: Mail): Promise<void> {
    if (this.problem) return Promise.reject(this.problem);
    this.mails.push(mail);
    this.changed.notify();
    return Promise.resolve();
  }

  async has(count: number): Promise<void> {
    assert.ok(await this.changed.until(() => this.mails.length >= count, { timeoutMs: 2_000 }));
  }
}

/** What several workers share, as the table of the database is shared. */
class SharedClaims implements AlertClaims {
  readonly #claimed = new Map<string, number>();

  claim(cause: string): Promise<number | null> {
    const before = this.#claimed.get(cause);
    this.#claimed.set(cause, (before ?? -1) + 1);
    return Promise.resolve(before === undefined ? 0 : null);
  }
}

function makeAlerting(mailbox: Mailbox, claims: AlertClaims = new SharedClaims(), afterMs = 5) {
  const lost: unknown[] = [];
  const alerting = new Alerting({
    channel: mailbox,
    claims,
    situation: () => SITUATION,
    afterMs,
    intervalMs: 1_000_000,
    onFailure: (subject, error) => lost.push([subject, error]),
  });
  return { alerting, lost };
}

const away = new UnavailableError("connection refused");

Deno.test("Alerting mails an outage that lasts, and that it is over", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox);
  alerting.failed("sink", away);
  await mailbox.has(1);
  alerting.failed("sink", away);
  alerting.answered("sink");
  await mailbox.has(2);
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails.map(({ subject }) => subject), [
    "[group] topic: PostgreSQL is away: connection refused",
    "[group] topic: Recovered: PostgreSQL is there again",
  ]);
  assert.match(mailbox.mails[1]!.text, /It counts again, after 2 tries/);
});

Deno.test("Alerting does not mail an outage that passes in time", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox, new SharedClaims(), 60_000);
  alerting.failed("group", away);
  alerting.answered("group");
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails, []);
});

Deno.test("Alerting mails once for several workers, and only who mailed tells that it is over", async () => {
  const [mailbox, claims] = [new Mailbox(), new SharedClaims()];
  const workers = [1, 2, 3].map(() => makeAlerting(mailbox, claims).alerting);
  for (const worker of workers) worker.failed("source", away);
  await mailbox.has(1);
  for (const worker of workers) worker.answered("source");
  await mailbox.has(2);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  assert.equal(mailbox.mails.length, 2);
});

Deno.test("Alerting mails why a worker stops, before it is disposed", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox);
  alerting.stopped(new OperatorError("the table kafka_offsets is missing"));
  await alerting[Symbol.asyncDispose]();
  assert.match(mailbox.mails[0]!.subject, /A worker has stopped.*kafka_offsets is missing/);
});

Deno.test("Alerting mails which records were lost", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox);
  alerting.committed(commitOf([[0, 0, 1]]));
  alerting.committed(commitOf([[0, 0, 1]], { lostRanges: [{ partition: 3, from: 10, to: 30 }] }));
  await alerting[Symbol.asyncDispose]();
  assert.equal(mailbox.mails.length, 1);
  assert.match(mailbox.mails[0]!.text, /partition 3: offsets 10 to 29/);
});

Deno.test("Alerting loses only the mail when the mail server is away", async () => {
  const mailbox = new Mailbox();
  mailbox.problem = new Error("no mail today");
  const { alerting, lost } = makeAlerting(mailbox);
  alerting.stopped(new OperatorError("act"));
  await alerting[Symbol.asyncDispose]();
  assert.equal(lost.length, 1);
});

Deno.test("Alerting tells how often a cause came up since the last mail", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox, { claim: () => Promise.resolve(4) });
  alerting.stopped(new OperatorError("act"));
  await alerting[Symbol.asyncDispose]();
  assert.match(mailbox.mails[0]!.text, /4 times since the last mail/);
});
