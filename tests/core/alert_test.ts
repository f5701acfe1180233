import assert from "node:assert/strict";
import { type Alert, type AlertContext, composeMail } from "../../lib/core/alert.ts";
import { OperatorError, UnavailableError } from "../../lib/core/failure.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

const CONTEXT: AlertContext = {
  host: "counter-1",
  groupId: "lottery-aggregates",
  topic: "user-events",
  brokers: ["kafka-1:9092", "kafka-2:9092"],
  database: "admin@db:5432/lottery_db",
  partitions: [
    { partition: 0, nextOffset: 1_234, lag: 56 },
    { partition: 3, nextOffset: 99, lag: null },
  ],
  lastCommitMs: NOW - 45_000,
};

const ALERT: Alert = {
  cause: "postgres_away",
  title: "PostgreSQL is unavailable",
  error: new UnavailableError("Cannot reach PostgreSQL", {
    cause: new Error("connect ECONNREFUSED"),
  }),
  sinceMs: NOW - 300_000,
  doing: "It goes on trying.",
  advice: "See whether the server runs.",
};

function compose(alert: Partial<Alert> = {}, repeats = 0) {
  return composeMail({ ...ALERT, ...alert }, CONTEXT, { nowMs: NOW, repeats });
}

Deno.test("composeMail() names pipeline, topic and error in the subject", () => {
  assert.equal(
    compose().subject,
    "[lottery-aggregates] user-events: PostgreSQL is unavailable: Cannot reach PostgreSQL",
  );
});

Deno.test("composeMail() tells all that a person needs, as text and as HTML", () => {
  const { text, html } = compose({}, 3);
  for (
    const part of [
      "UnavailableError: Cannot reach PostgreSQL",
      "connect ECONNREFUSED",
      "See whether the server runs.",
      "It goes on trying.",
      "2026-01-02T02:59:05.000Z (5 min ago)",
      "3 times since the last mail",
      "host counter-1, group lottery-aggregates, topic user-events",
      "kafka-1:9092, kafka-2:9092",
      "admin@db:5432/lottery_db",
      "(45 s ago)",
      "0: next offset 1234, lag 56",
      "3: next offset 99, lag unknown",
    ]
  ) {
    assert.ok(text.includes(part), `${part} is missing in the text`);
    assert.ok(html.includes(part), `${part} is missing in the HTML`);
  }
  assert.doesNotMatch(compose().text, /Repeated/);
});

Deno.test("composeMail() keeps what an error says out of headers and markup", () => {
  const error = new OperatorError(
    'bad\r\nBcc: all@example.org\n<script>alert("1")</script>\u2028x',
  );
  const { subject, html } = compose({ error });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(subject, /[\x00-\x1f\u2028]/);
  assert.match(subject, /bad Bcc: all@example.org/);
  assert.doesNotMatch(html, /<script>/);
  assert.match(html, /&lt;script&gt;alert\(&quot;1&quot;\)/);
});

Deno.test("composeMail() keeps subjects short, and sums up many partitions", () => {
  assert.ok(compose({ error: new Error("x".repeat(1_000)) }).subject.length <= 200);
  const partitions = Array.from(
    { length: 256 },
    (_, partition) => ({ partition, nextOffset: 0, lag: 0 }),
  );
  const { text } = composeMail(ALERT, { ...CONTEXT, partitions }, { nowMs: NOW, repeats: 0 });
  assert.match(text, /19: next offset 0, lag 0\n {2}and 236 more/);
});

Deno.test("composeMail() says nothing of partitions and commits for a sender that counts none", () => {
  const { text } = composeMail(ALERT, { ...CONTEXT, partitions: null }, { nowMs: NOW, repeats: 0 });
  assert.doesNotMatch(text, /Partitions|Last commit/);
  assert.match(text, /^Worker\n/m);
});
