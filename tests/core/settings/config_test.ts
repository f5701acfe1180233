import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type Config,
  type ConfigProblem,
  parseConfig,
  SETTINGS,
} from "../../../lib/core/settings/config.ts";

type Env = Readonly<Record<string, string | undefined>>;

function configOf(env: Env): Config {
  const result = parseConfig(env);
  if ("problems" in result) throw new Error(`Cannot parse: ${JSON.stringify(result.problems)}`);
  return result.config;
}

function problemsOf(env: Env): readonly ConfigProblem[] {
  const result = parseConfig(env);
  assert.ok("problems" in result, "accepted");
  return result.problems;
}

const settingsOf = (env: Env) => problemsOf(env).map(({ setting }) => setting).sort();

const DEFAULTS: Config = {
  kafka: {
    brokers: ["localhost:9092"],
    topic: "user-events",
    groupId: "lottery-aggregates",
    ssl: undefined,
    sasl: undefined,
  },
  outputTopic: undefined,
  databaseUrl: "postgres://admin:admin@localhost:5432/lottery_db",
  windowMs: 60_000,
  graceMs: 60_000,
  maxFutureMs: 300_000,
  commitIntervalMs: 250,
  onDataLoss: "fail",
  alertAfterMs: 30_000,
  alertIntervalMs: 900_000,
  alertDeadLettersPerMinute: 60,
  httpHost: "127.0.0.1",
  httpPort: undefined,
  smtp: undefined,
  quiet: undefined,
  aggregatesRetentionDays: undefined,
  hoursRetentionDays: undefined,
  deadLettersRetentionDays: undefined,
  logLevel: "info",
  logFormat: undefined,
};

Deno.test("parseConfig() fills in the documented defaults", () => {
  assert.deepEqual(configOf({}), DEFAULTS);
});

Deno.test("parseConfig() takes an empty setting for one that is not set", () => {
  for (const empty of ["", "   ", undefined]) {
    const env = Object.fromEntries(SETTINGS.map((setting) => [setting, empty]));
    assert.deepEqual(configOf(env), DEFAULTS);
  }
});

Deno.test("parseConfig() ignores what is no setting of ours", () => {
  assert.deepEqual(configOf({ PATH: "/bin", KAFKA_BROKER: "?", constructor: "?" }), DEFAULTS);
});

const COMPANIONS: Env = {
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_SASL_USERNAME: "reader",
  KAFKA_SASL_PASSWORD: "secret",
  SMTP_HOST: "mail.example.org",
  ALERT_FROM: "pipeline@example.org",
  ALERT_TO: "operator@example.org",
};

Deno.test("parseConfig() reads every setting", () => {
  const config = configOf({
    ...COMPANIONS,
    KAFKA_BROKERS: "one:9092, two:9093 ,[::1]:9094",
    KAFKA_TOPIC: "my.topic_1-a",
    KAFKA_GROUP_ID: "my group",
    KAFKA_OUTPUT_TOPIC: "counts",
    KAFKA_SSL: "true",
    KAFKA_SSL_CA_FILE: "/ca.pem",
    KAFKA_SSL_CERT_FILE: "/cert.pem",
    KAFKA_SSL_KEY_FILE: "/key.pem",
    DATABASE_URL: "postgresql://u:p%40ss@db.example.org/counts?sslmode=require",
    WINDOW_SECONDS: " 10 ",
    GRACE_SECONDS: "0",
    MAX_FUTURE_SECONDS: "1",
    ON_DATA_LOSS: "continue",
    ALERT_AFTER_SECONDS: "5",
    ALERT_INTERVAL_SECONDS: "60",
    ALERT_DEAD_LETTERS_PER_MINUTE: "7",
    ALERT_QUIET_TYPES: "pay, register,pay",
    ALERT_QUIET_MINUTES: "30",
    ALERT_QUIET_SHARE: "0.5",
    ALERT_QUIET_MIN_EXPECTED: "50",
    ALERT_QUIET_ZONE: "Europe/Berlin",
    COMMIT_INTERVAL_MS: "1000",
    HTTP_HOST: "0.0.0.0",
    HTTP_PORT: "9000",
    AGGREGATES_RETENTION_DAYS: "400",
    HOURS_RETENTION_DAYS: "4000",
    DEAD_LETTERS_RETENTION_DAYS: "30",
    SMTP_PORT: "465",
    SMTP_SECURE: "true",
    SMTP_USERNAME: "mailer",
    SMTP_PASSWORD: "secret too",
    LOG_LEVEL: "debug",
    LOG_FORMAT: "json",
  });
  assert.deepEqual(config, {
    kafka: {
      brokers: ["one:9092", "two:9093", "[::1]:9094"],
      topic: "my.topic_1-a",
      groupId: "my group",
      ssl: { caFile: "/ca.pem", certFile: "/cert.pem", keyFile: "/key.pem" },
      sasl: { mechanism: "scram-sha-512", username: "reader", password: "secret" },
    },
    outputTopic: "counts",
    databaseUrl: "postgresql://u:p%40ss@db.example.org/counts?sslmode=require",
    windowMs: 10_000,
    graceMs: 0,
    maxFutureMs: 1_000,
    onDataLoss: "continue",
    alertAfterMs: 5_000,
    alertIntervalMs: 60_000,
    alertDeadLettersPerMinute: 7,
    quiet: {
      types: ["pay", "register"],
      minutes: 30,
      share: 0.5,
      minExpected: 50,
      zone: "Europe/Berlin",
    },
    commitIntervalMs: 1_000,
    httpHost: "0.0.0.0",
    httpPort: 9_000,
    smtp: {
      host: "mail.example.org",
      port: 465,
      isSecure: true,
      username: "mailer",
      password: "secret too",
      from: "pipeline@example.org",
      to: "operator@example.org",
    },
    aggregatesRetentionDays: 400,
    hoursRetentionDays: 4_000,
    deadLettersRetentionDays: 30,
    logLevel: "debug",
    logFormat: "json",
  });
});

Deno.test("parseConfig() sends mail to port 587 without TLS from the first byte by default", () => {
  const { smtp } = configOf(COMPANIONS);
  assert.deepEqual([smtp?.port, smtp?.isSecure, smtp?.username], [587, false, undefined]);
});

Deno.test("parseConfig() refuses to publish counts where events are read", () => {
  assert.deepEqual(settingsOf({ KAFKA_OUTPUT_TOPIC: "user-events" }), ["KAFKA_OUTPUT_TOPIC"]);
  assert.deepEqual(settingsOf({ KAFKA_TOPIC: "a", KAFKA_OUTPUT_TOPIC: "a" }), [
    "KAFKA_OUTPUT_TOPIC",
  ]);
  assert.equal(configOf({ KAFKA_OUTPUT_TOPIC: "counts" }).outputTopic, "counts");
});

Deno.test("parseConfig() refuses to delete hours before their minutes, or while these are kept", () => {
  const days = (minutes: string, hours: string) => ({
    AGGREGATES_RETENTION_DAYS: minutes,
    HOURS_RETENTION_DAYS: hours,
  });
  assert.deepEqual(settingsOf(days("30", "29")), ["HOURS_RETENTION_DAYS"]);
  assert.deepEqual(settingsOf(days("", "30")), ["AGGREGATES_RETENTION_DAYS"]);
  assert.equal(configOf(days("30", "30")).hoursRetentionDays, 30);
});

Deno.test("parseConfig() refuses to delete the hours that quiet lotteries are compared with", () => {
  const days = (hours: string) => ({
    ALERT_QUIET_TYPES: "pay",
    AGGREGATES_RETENTION_DAYS: "1",
    HOURS_RETENTION_DAYS: hours,
  });
  assert.deepEqual(settingsOf(days("9")), ["HOURS_RETENTION_DAYS"]);
  assert.equal(configOf(days("10")).hoursRetentionDays, 10);
  assert.equal(configOf({ ...days("9"), ALERT_QUIET_TYPES: "" }).hoursRetentionDays, 9);
});

Deno.test("parseConfig() turns TLS on without any file", () => {
  assert.deepEqual(configOf({ KAFKA_SSL: "true" }).kafka.ssl, {
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
  });
  assert.equal(configOf({ KAFKA_SSL: "false" }).kafka.ssl, undefined);
});

Deno.test("parseConfig() tells every problem at once", () => {
  const env = {
    KAFKA_BROKERS: "localhost",
    KAFKA_SASL_MECHANISM: "plain",
    KAFKA_SSL_CERT_FILE: "/cert.pem",
    DATABASE_URL: "mysql://localhost/db",
    WINDOW_SECONDS: "0",
    HTTP_PORT: "http",
    SMTP_HOST: "mail.example.org",
    SMTP_SECURE: "yes",
    LOG_LEVEL: "loud",
  };
  assert.deepEqual(settingsOf(env), [
    "ALERT_FROM",
    "ALERT_TO",
    "DATABASE_URL",
    "HTTP_PORT",
    "KAFKA_BROKERS",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SSL",
    "KAFKA_SSL_KEY_FILE",
    "LOG_LEVEL",
    "SMTP_SECURE",
    "WINDOW_SECONDS",
  ]);
});

const MISSING: readonly { readonly given: Env; readonly missing: readonly string[] }[] = [
  {
    given: { KAFKA_SASL_MECHANISM: "plain" },
    missing: ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME"],
  },
  {
    given: { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "reader" },
    missing: ["KAFKA_SASL_PASSWORD"],
  },
  {
    given: { KAFKA_SASL_USERNAME: "reader", KAFKA_SASL_PASSWORD: "secret" },
    missing: ["KAFKA_SASL_MECHANISM"],
  },
  { given: { KAFKA_SSL_CA_FILE: "/ca.pem" }, missing: ["KAFKA_SSL"] },
  {
    given: { KAFKA_SSL: "true", KAFKA_SSL_CERT_FILE: "/cert.pem" },
    missing: ["KAFKA_SSL_KEY_FILE"],
  },
  {
    given: { KAFKA_SSL: "true", KAFKA_SSL_KEY_FILE: "/key.pem" },
    missing: ["KAFKA_SSL_CERT_FILE"],
  },
  { given: { SMTP_HOST: "mail" }, missing: ["ALERT_FROM", "ALERT_TO"] },
  { given: { SMTP_HOST: "mail", ALERT_TO: "me@here" }, missing: ["ALERT_FROM"] },
];

for (const { given, missing } of MISSING) {
  const names = Object.keys(given).join(" and ");
  Deno.test(`parseConfig() misses ${missing.join(" and ")} beside ${names}`, () => {
    const problems = problemsOf(given);
    assert.deepEqual(problems.map(({ setting }) => setting).sort(), missing);
    for (const { message } of problems) {
      assert.ok(Object.keys(given).some((setting) => message.includes(setting)), message);
    }
  });
}

/** A token that can only come from a setting. */
const secret = fc.stringMatching(/^[a-z0-9]{8,16}$/).map((text) => `s3cr3t${text}`);

Deno.test("parseConfig() never shows a secret, whatever else is wrong", () => {
  const broken = fc.constantFrom<(secret: string) => string>(
    (secret) => secret,
    (secret) => `postgres://admin:${secret}@localhost:x/db`,
    (secret) => `mysql://${secret}@localhost/db`,
    (secret) => `postgres://admin:${secret}@localhost`,
  );
  fc.assert(fc.property(secret, broken, fc.boolean(), (secret, broken, hasSasl) => {
    const problems = problemsOf({
      DATABASE_URL: broken(secret),
      KAFKA_SASL_PASSWORD: secret,
      ...hasSasl ? { KAFKA_SASL_MECHANISM: "kerberos" } : { KAFKA_SASL_USERNAME: "reader" },
      SMTP_HOST: "mail",
      SMTP_PASSWORD: secret,
      WINDOW_SECONDS: "x",
    });
    assert.ok(problems.some(({ setting }) => setting === "DATABASE_URL"));
    assert.ok(!JSON.stringify(problems).includes(secret));
  }));
});

Deno.test("parseConfig() reads any environment to a configuration or to problems of its settings", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("true", "1", "localhost:1", "plain"));
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...SETTINGS), text), (env) => {
    const result = parseConfig(env);
    if ("config" in result) return;
    assert.notEqual(result.problems.length, 0);
    for (const { setting, message } of result.problems) {
      assert.ok(SETTINGS.includes(setting) && message !== "");
    }
  }));
});
