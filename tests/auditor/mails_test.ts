import assert from "node:assert/strict";
import { rightAlert, stoppedAlert, wrongAlert } from "../../lib/auditor/mails.ts";
import { composeMail } from "../../lib/core/alert.ts";
import type { AuditNote } from "../../lib/core/audit/audit_note.ts";
import type { AuditState } from "../../lib/io/postgres/audits.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;

const CONTEXT = {
  ...{ host: "a", groupId: "group", topic: "topic", brokers: ["b:9092"], database: "d" },
  ...{ partitions: null, lastCommitMs: null },
};

const NOTE: AuditNote = {
  ...{ atMs: NOW, fromMs: null, toMs: null, records: 12, rows: 1_064, wrong: 0, notProvable: 0 },
  ...{ seconds: 1, verdict: "agrees", firstWrong: [], roundMs: 15 * MINUTE_MS },
};

const AGREED: AuditState = { verdict: "agrees", toMs: null, fullAgeMs: 1, wrongSinceMs: null };
const WAS_WRONG: AuditState = {
  ...AGREED,
  verdict: "wrong",
  wrongSinceMs: NOW - 30 * MINUTE_MS,
};

const textOf = (alert: Parameters<typeof composeMail>[0]) =>
  composeMail(alert, CONTEXT, { nowMs: NOW, repeats: 0 });

Deno.test("the mail about wrong tables names the first of what is wrong, and how many more are", () => {
  const firstWrong = ["Window x: stored 2, recounted 1", "Hour y: stored 3, its minutes have 2"];
  const note: AuditNote = { ...NOTE, verdict: "wrong", wrong: 7, firstWrong };
  const { subject, text } = textOf(wrongAlert(note, AGREED));
  assert.equal(
    subject,
    "[group] topic: The tables do not match the topic: Window x: stored 2, recounted 1 " +
      "Hour y: stored 3, its minutes have 2 and 5 more",
  );
  assert.match(text, /^ {2}Window x: .*\n {2}Hour y: .*\n {2}and 5 more$/m);
  assert.match(text, /^Since\n {2}2026-01-31T12:00:00.000Z \(0 s ago\)$/m);
  const again = textOf(wrongAlert(note, WAS_WRONG)).text;
  assert.match(again, /^Since\n {2}2026-01-31T11:30:00.000Z \(30 min ago\)$/m);
});

Deno.test("the mail that tables are right again says since when they were wrong, and what is not proved", () => {
  const { subject, text } = textOf(rightAlert(NOTE, WAS_WRONG));
  assert.equal(subject, "[group] topic: Recovered: the tables match the topic again");
  assert.match(text, /recounted everything, and 1,064 rows agree\.$/m);
  assert.match(text, /11:30:00.000Z/);
  assert.match(text, /^What to do\n {2}Nothing\.$/m);
});

Deno.test("the mail does not say that all is right if what was wrong may only have left the log", () => {
  const partial = textOf(rightAlert({ ...NOTE, notProvable: 1 }, WAS_WRONG));
  assert.equal(
    partial.subject,
    "[group] topic: Recovered: the tables match what the topic still holds",
  );
  assert.match(partial.text, /rows agree\. 1 other cannot be proved: its records are no longer/);
  assert.match(partial.text, /Nothing, if what was wrong has been undone\. Otherwise/);
});

Deno.test("the mail that the auditor has stopped has the error, and its advice", () => {
  const { subject, text } = textOf(stoppedAlert(new Error("Set KAFKA_TOPIC back")));
  assert.match(
    subject,
    /The auditor has stopped and requires operator action: Set KAFKA_TOPIC back/,
  );
  assert.match(text, /Follow the advice in the error/);
});
