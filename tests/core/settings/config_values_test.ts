import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/core/settings/config.ts";

const NO_INTEGERS = ["-1", "1.5", "1e3", "0x10", "ten", "6 0", "+1", "９"];
const NO_FLAGS = ["yes", "1", "TRUE", "on"];

/** Values that are refused, and values at the edge that are not. */
const VALUES: Readonly<
  Record<string, { readonly bad: readonly string[]; readonly good: readonly string[] }>
> = {
  KAFKA_BROKERS: {
    bad: [
      "localhost",
      "localhost:",
      ":9092",
      "kafka://localhost:9092",
      "one:9092,two",
      "one:9092,",
      ",one:9092",
      "one:9092;two:9092",
      "one two:9092",
      "localhost:port",
      "localhost:123456",
      "localhost:65536",
      "localhost:0",
      "::1:9092",
    ],
    good: ["localhost:1", "localhost:65535", "[::1]:9092", "10.0.0.1:9092,kafka.example.org:9092"],
  },
  KAFKA_TOPIC: {
    bad: [".", "..", "a b", "a/b", "a,b", "größe", "x".repeat(250)],
    good: ["...", "A.b_c-1", "x".repeat(249)],
  },
  KAFKA_OUTPUT_TOPIC: { bad: [".", "a b"], good: ["counts"] },
  KAFKA_SSL: { bad: NO_FLAGS, good: ["true", "false"] },
  KAFKA_SASL_MECHANISM: { bad: ["gssapi", "scram", "SCRAM-SHA-1"], good: [] },
  DATABASE_URL: {
    bad: [
      "lottery_db",
      "localhost:5432/lottery_db",
      "mysql://localhost/lottery_db",
      "http://localhost/lottery_db",
      "postgres://localhost",
      "postgres://localhost/",
      "postgres:///lottery_db",
      "postgres://localhost:port/lottery_db",
      "postgres://admin:p#ss@localhost/lottery_db",
    ],
    good: [
      "postgres://localhost/lottery_db",
      "postgresql://u:p@[::1]:5433/db?sslmode=verify-full",
      "postgres:///lottery_db?host=/var/run/postgresql",
      "postgres://u:p@/lottery_db?host=/var/run/postgresql",
      "postgres://%2Fvar%2Frun%2Fpostgresql/lottery_db",
    ],
  },
  WINDOW_SECONDS: { bad: ["0", "86401", ...NO_INTEGERS], good: ["1", "86400"] },
  GRACE_SECONDS: { bad: ["86401", ...NO_INTEGERS], good: ["0", "86400"] },
  MAX_FUTURE_SECONDS: { bad: ["31536001", ...NO_INTEGERS], good: ["0", "31536000"] },
  COMMIT_INTERVAL_MS: { bad: ["0", "9", "60001", ...NO_INTEGERS], good: ["10", "60000"] },
  ALERT_QUIET_TYPES: { bad: [",", "pay,", "pay,,register"], good: ["pay", "a b, ü"] },
  ALERT_QUIET_MINUTES: { bad: ["0", "1441", ...NO_INTEGERS], good: ["1", "1440"] },
  ALERT_QUIET_SHARE: {
    bad: ["0", "-0.2", "0.009", "0.51", "20%", "1e-1", "Infinity", "0x1"],
    good: ["0.01", "0.5", ".25"],
  },
  ALERT_QUIET_MIN_EXPECTED: { bad: ["0", "1000000001", ...NO_INTEGERS], good: ["1"] },
  ALERT_QUIET_ZONE: {
    bad: ["+02:00", "Berlin", "Europe/Nowhere", "Europe/Berlin'"],
    good: ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
  },
  AGGREGATES_RETENTION_DAYS: { bad: ["0", "36501", ...NO_INTEGERS], good: ["1", "36500"] },
  HOURS_RETENTION_DAYS: { bad: ["0", "36501", ...NO_INTEGERS], good: [] },
  DEAD_LETTERS_RETENTION_DAYS: { bad: ["0", "36501", ...NO_INTEGERS], good: ["1", "36500"] },
  HTTP_PORT: { bad: ["65536", "99999999999999999999", ...NO_INTEGERS], good: ["0", "1", "65535"] },
  SMTP_PORT: { bad: ["0", "65536", ...NO_INTEGERS], good: ["1", "65535"] },
  SMTP_SECURE: { bad: NO_FLAGS, good: ["true", "false"] },
  LOG_LEVEL: {
    bad: ["INFO", "trace", "warning", "0"],
    good: ["debug", "info", "warn", "error"],
  },
  LOG_FORMAT: { bad: ["JSON", "text", "logfmt"], good: ["pretty", "json"] },
};

const SECRETS = ["DATABASE_URL"];

for (const [setting, { bad, good }] of Object.entries(VALUES)) {
  for (const value of bad) {
    Deno.test(`parseConfig() refuses ${setting}=${value.slice(0, 60)}`, () => {
      const result = parseConfig({ [setting]: value });
      assert.ok("problems" in result, "accepted");
      const problems = result.problems.filter((problem) => problem.setting === setting);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!.message, /^must /);
      assert.equal(
        problems[0]!.message.includes(JSON.stringify(value)),
        !SECRETS.includes(setting),
        problems[0]!.message,
      );
    });
  }
  for (const value of good) {
    Deno.test(`parseConfig() accepts ${setting}=${value.slice(0, 60)}`, () => {
      const result = parseConfig({ [setting]: value });
      assert.ok("config" in result, JSON.stringify(result));
    });
  }
}

for (
  const mechanism of ["plain", "scram-sha-256", "scram-sha-512", "PLAIN", "SCRAM-SHA-512", "Plain"]
) {
  Deno.test(`parseConfig() accepts KAFKA_SASL_MECHANISM=${mechanism} with its companions`, () => {
    const result = parseConfig({
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: "reader",
      KAFKA_SASL_PASSWORD: "secret",
    });
    assert.ok("config" in result);
    assert.equal(result.config.kafka.sasl?.mechanism, mechanism.toLowerCase());
  });
}

Deno.test("parseConfig() takes the name of a mail server alone", () => {
  const problemsOf = (host: string) => {
    const result = parseConfig({
      SMTP_HOST: host,
      ALERT_FROM: "a@b.example",
      ALERT_TO: "c@d.example",
    });
    return "problems" in result ? result.problems : [];
  };
  for (const host of ["mail", "mail.example.org", "10.0.0.1", "::1"]) {
    assert.deepEqual(problemsOf(host), [], host);
  }
  for (const host of ["smtp://mail", "mail:25", "user:secret@mail", "mail server"]) {
    assert.equal(problemsOf(host)[0]!.setting, "SMTP_HOST");
    assert.doesNotMatch(problemsOf(host)[0]!.message, /secret/);
  }
});
