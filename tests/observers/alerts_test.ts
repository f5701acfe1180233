import assert from "node:assert/strict";
import { Condition } from "../../lib/async/condition.ts";
import type { Alert, AlertContext, Mail } from "../../lib/core/alert.ts";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";
import { type AlertClaims, Alerts, type MailChannel } from "../../lib/observers/alerts.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";
import { eventually } from "../support/eventually.ts";
import { commitOf } from "../support/sink_contract.ts";

const CONTEXT: AlertContext = {
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

function makeAlerting(
  mailbox: Mailbox,
  claims: AlertClaims = new SharedClaims(),
  { afterMs = 5, intervalMs = 1_000_000, announcedEveryMs = 5 } = {},
) {
  const lost: unknown[] = [];
  const state = new WorkerState();
  const alerting = new Alerts({
    channel: mailbox,
    claims,
    state,
    context: () => CONTEXT,
    afterMs,
    intervalMs,
    announcing: { firstMs: announcedEveryMs, maxMs: announcedEveryMs },
    onFailure: (subject, error) => lost.push([subject, error]),
  });
  state.notifyOfOutages(alerting);
  return { alerting, state, lost };
}

const away = new UnavailableError("connection refused");

Deno.test("Alerts mails an outage that lasts, and that it is over", async () => {
  const mailbox = new Mailbox();
  const { alerting, state } = makeAlerting(mailbox);
  state.failed("commit", away);
  await mailbox.has(1);
  state.failed("commit", away);
  state.answered("commit");
  await mailbox.has(2);
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails.map(({ subject }) => subject), [
    "[group] topic: PostgreSQL is unavailable: connection refused",
    "[group] topic: Recovered: PostgreSQL is back",
  ]);
  assert.match(mailbox.mails[1]!.text, /It is counting again, after 2 attempts/);
});

Deno.test("Alerts does not take the answer to a look for the end of an outage of commits", async () => {
  const mailbox = new Mailbox();
  const { alerting, state } = makeAlerting(mailbox);
  state.failed("commit", away);
  state.failed("query", away);
  state.answered("query");
  await mailbox.has(1);
  state.answered("query");
  state.answered("commit");
  await mailbox.has(2);
  await alerting[Symbol.asyncDispose]();
  assert.equal(mailbox.mails.length, 2);
});

const GAP = {
  partition: 1,
  reason: "another_program",
  leaderProblem: null,
  holder: null,
  sinceMs: 0,
} as const;

Deno.test("Alerts mails once for all workers that nobody counts a partition, and that it is over", async () => {
  const [mailbox, claims] = [new Mailbox(), new SharedClaims()];
  const workers = [1, 2].map(() => makeAlerting(mailbox, claims).alerting);
  for (const worker of workers) {
    worker.uncounted([], []);
    worker.uncounted([GAP], ["partition 1 is not counted: another program has it"]);
    worker.uncounted([GAP], ["partition 1 is not counted: another program has it"]);
  }
  await mailbox.has(1);
  for (const worker of workers) {
    worker.uncounted([], []);
    worker.uncounted([], []);
  }
  await mailbox.has(2);
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails.map(({ subject }) => subject), [
    "[group] topic: Some partitions are not being counted: partition 1 is not counted: another program has it",
    "[group] topic: Recovered: all partitions are being counted again",
  ]);
});

Deno.test("Alerts mails again after the interval that nobody counts a partition", async () => {
  const mailbox = new Mailbox();
  const claims: AlertClaims = { claim: () => Promise.resolve(0) };
  const { alerting } = makeAlerting(mailbox, claims, { intervalMs: 20 });
  for (let mails = 1; mails <= 3; mails++) {
    while (mailbox.mails.length < mails) {
      alerting.uncounted([GAP], ["partition 1 is not counted"]);
      await mailbox.changed.next({ timeoutMs: 5 });
    }
  }
  await alerting[Symbol.asyncDispose]();
});

Deno.test("Alerts mails that it is over, also if another worker has mailed since that it lasts", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox, new SharedClaims(), { intervalMs: 0 });
  alerting.uncounted([GAP], ["partition 1 is not counted"]);
  await mailbox.has(1);
  alerting.uncounted([GAP], ["partition 1 is not counted"]);
  alerting.uncounted([], []);
  await mailbox.has(2);
  await alerting[Symbol.asyncDispose]();
  assert.match(mailbox.mails[1]!.subject, /Recovered: all partitions are being counted again$/);
});

/** Answers when it is told to. */
class SlowClaims implements AlertClaims {
  readonly asked = new Condition();
  readonly #answer = Promise.withResolvers<number>();

  claim(): Promise<number> {
    this.asked.notify();
    return this.#answer.promise;
  }

  grant(): void {
    this.#answer.resolve(0);
  }
}

Deno.test("Alerts does not mail what is over before it may", async () => {
  const [mailbox, claims] = [new Mailbox(), new SlowClaims()];
  const { alerting, state } = makeAlerting(mailbox, claims);
  alerting.uncounted([GAP], ["partition 1 is not counted"]);
  alerting.uncounted([], []);
  const asked = claims.asked.next();
  state.failed("commit", away);
  await asked;
  state.answered("commit");
  claims.grant();
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails, []);
});

Deno.test("Alerts does not mail an outage that passes in time", async () => {
  const mailbox = new Mailbox();
  const { alerting, state } = makeAlerting(mailbox, new SharedClaims(), { afterMs: 60_000 });
  state.failed("group", away);
  state.answered("group");
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(mailbox.mails, []);
});

Deno.test("Alerts mails once for several workers, and only who mailed tells that it is over", async () => {
  const [mailbox, claims] = [new Mailbox(), new SharedClaims()];
  const workers = [1, 2, 3].map(() => makeAlerting(mailbox, claims));
  for (const { state } of workers) state.failed("source", away);
  await mailbox.has(1);
  for (const { state } of workers) state.answered("source");
  await mailbox.has(2);
  for (const { alerting } of workers) await alerting[Symbol.asyncDispose]();
  assert.equal(mailbox.mails.length, 2);
});

Deno.test("Alerts mails why a worker stops, before it is disposed", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox);
  alerting.stopped(new OperatorError("the table kafka_offsets is missing"));
  await alerting[Symbol.asyncDispose]();
  assert.match(mailbox.mails[0]!.subject, /A worker has stopped.*kafka_offsets is missing/);
});

Deno.test("Alerts mails which records were lost", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox);
  alerting.committed(commitOf([[0, 0, 1]]));
  alerting.committed(commitOf([[0, 0, 1]], { lostRanges: [{ partition: 3, from: 10, to: 30 }] }));
  await alerting[Symbol.asyncDispose]();
  assert.equal(mailbox.mails.length, 1);
  assert.match(mailbox.mails[0]!.text, /partition 3: offsets 10 to 29/);
});

Deno.test("Alerts tells each lost range once, those within an interval together at its end", async () => {
  const mailbox = new Mailbox();
  const claimed = new Condition();
  let mayMail = true;
  const claims = {
    claim: () => {
      claimed.notify();
      return Promise.resolve(mayMail ? 0 : null);
    },
  };
  const { alerting } = makeAlerting(mailbox, claims, { intervalMs: 20 });
  const lose = (from: number) =>
    alerting.committed(
      commitOf([[0, 0, 1]], { lostRanges: [{ partition: 0, from, to: from + 5 }] }),
    );
  lose(10);
  await mailbox.has(1);
  mayMail = false;
  lose(20);
  lose(30);
  await claimed.next(); // the first has asked in vain, and the interval is over
  assert.equal(mailbox.mails.length, 1, "another mail was sent within the interval");
  mayMail = true;
  await mailbox.has(2);
  mayMail = false;
  lose(40);
  await alerting[Symbol.asyncDispose](); // there is no later
  const texts = mailbox.mails.map(({ text }) => text.match(/offsets \d+ to \d+/g)!.join());
  assert.deepEqual(texts, [
    "offsets 10 to 14",
    "offsets 20 to 24,offsets 30 to 34",
    "offsets 40 to 44",
  ]);
});

Deno.test("Alerts mails the next thing that stops a worker, but not the same at another offset", async () => {
  const [mailbox, claims] = [new Mailbox(), new SharedClaims()];
  const errors = [
    "Cannot go on with partition 3 at offset 10: the log starts at 50",
    "Cannot go on with partition 1 at offset 99: the log starts at 120",
    "The database lacks a table",
    "The database lacks a table",
  ];
  for (const message of errors) {
    const { alerting } = makeAlerting(mailbox, claims);
    alerting.stopped(new OperatorError(message));
    await alerting[Symbol.asyncDispose]();
  }
  assert.deepEqual(
    mailbox.mails.map(({ subject }) => subject.match(/requires operator action: (.*)/)![1]),
    [errors[0], errors[2]],
  );
});

Deno.test("Alerts loses only the mail when the mail server is away", async () => {
  const mailbox = new Mailbox();
  mailbox.problem = new Error("no mail today");
  const { alerting, lost } = makeAlerting(mailbox);
  alerting.stopped(new OperatorError("act"));
  await alerting[Symbol.asyncDispose]();
  assert.equal(lost.length, 1);
});

Deno.test("Alerts tells how often a cause came up since the last mail", async () => {
  const mailbox = new Mailbox();
  const { alerting } = makeAlerting(mailbox, { claim: () => Promise.resolve(4) });
  alerting.stopped(new OperatorError("act"));
  await alerting[Symbol.asyncDispose]();
  assert.match(mailbox.mails[0]!.text, /4 times since the last mail/);
});

const ANNOUNCED: Alert = {
  cause: "lottery_quiet",
  title: "Almost no pay of keno",
  sinceMs: 0,
  doing: "It keeps counting.",
  advice: "Check the shop.",
};

Deno.test("Alerts mails what is announced once the server takes mails again", async () => {
  const mailbox = new Mailbox();
  const { alerting, lost } = makeAlerting(mailbox);
  mailbox.problem = away;
  alerting.announce(ANNOUNCED);
  await eventually(() => lost.length >= 2);
  mailbox.problem = null;
  await mailbox.has(1);
  await alerting[Symbol.asyncDispose]();
  assert.deepEqual(
    mailbox.mails.map(({ subject }) => subject),
    ["[group] topic: Almost no pay of keno"],
  );
});

Deno.test("Alerts tries once more at its end what is announced, and then gives up", async () => {
  const mailbox = new Mailbox();
  const { alerting, lost } = makeAlerting(mailbox, undefined, { announcedEveryMs: 1_000_000 });
  mailbox.problem = away;
  alerting.announce(ANNOUNCED);
  await eventually(() => lost.length === 1);
  await alerting[Symbol.asyncDispose]();
  assert.equal(lost.length, 2);
});
