import fc from "fast-check";
import assert from "node:assert/strict";
import { SETTINGS } from "../../../lib/core/settings/config.ts";
import { meantInEnvironment, meantInFile } from "../../../lib/core/settings/setting_names.ts";

/** What people write, and what they mean; anywhere. */
const SLIPS: Readonly<Record<string, string>> = {
  KAFKA_BROKER: "KAFKA_BROKERS",
  KAFKA_BORKERS: "KAFKA_BROKERS",
  KAFKA_TOPICS: "KAFKA_TOPIC",
  KAFKA_GROUPID: "KAFKA_GROUP_ID",
  KAFKA_SASL_MECHANISMS: "KAFKA_SASL_MECHANISM",
  DATABASEURL: "DATABASE_URL",
  DATBASE_URL: "DATABASE_URL",
  HTTP_PROT: "HTTP_PORT",
  SMPT_HOST: "SMTP_HOST",
  WINDOWS_SECONDS: "WINDOW_SECONDS",
  AGGREGATE_RETENTION_DAYS: "AGGREGATES_RETENTION_DAYS",
  HOUR_RETENTION_DAYS: "HOURS_RETENTION_DAYS",
  DEADLETTERS_RETENTION_DAY: "DEAD_LETTERS_RETENTION_DAYS",
};

/** What in a file of settings is meant to be one, and in an environment may be anybody's. */
const SLIPS_IN_FILE: Readonly<Record<string, string>> = {
  kafka_brokers: "KAFKA_BROKERS",
  Database_Url: "DATABASE_URL",
  DATABASE_URI: "DATABASE_URL",
  SMTP_USER: "SMTP_USERNAME",
  SMTP_PASS: "SMTP_PASSWORD",
  KAFKA_GROUP: "KAFKA_GROUP_ID",
  KAFKA_SASL_USER: "KAFKA_SASL_USERNAME",
  KAFKA_SSL_CA: "KAFKA_SSL_CA_FILE",
  LOGLEVEL: "LOG_LEVEL",
};

Deno.test("a near miss of a setting's name is told with the right one", () => {
  for (const [name, setting] of Object.entries(SLIPS)) {
    assert.equal(meantInEnvironment(name), setting);
    assert.equal(meantInFile(name), setting);
  }
  for (const [name, setting] of Object.entries(SLIPS_IN_FILE)) {
    assert.equal(meantInEnvironment(name), null, name);
    assert.equal(meantInFile(name), setting);
  }
});

/** Variables of Kafka's own programs, of Kubernetes, of proxies, shells and other programs. */
const OF_OTHERS = `
  KAFKA_HOME KAFKA_OPTS KAFKA_HEAP_OPTS KAFKA_JMX_OPTS KAFKA_LOG_DIRS KAFKA_LOG4J_OPTS KAFKA_BROKER_ID
  KAFKA_NODE_ID KAFKA_CLUSTER_ID KAFKA_LISTENERS KAFKA_CFG_NODE_ID KAFKA_CREATE_TOPICS KAFKA_URL
  KAFKA_CLIENT_ID KAFKA_USERNAME KAFKA_PASSWORD KAFKA_SECURITY_PROTOCOL KAFKA_TOPIC_PREFIX
  KAFKA_SSL_KEYSTORE_LOCATION KAFKA_SSL_KEY_CREDENTIALS
  KAFKA_PORT KAFKA_SERVICE_HOST KAFKA_SERVICE_PORT KAFKA_SERVICE_PORT_CLIENT KAFKA_PORT_9092_TCP
  KAFKA_PORT_9092_TCP_ADDR KAFKA_PORT_9092_TCP_PORT KAFKA_PORT_9092_TCP_PROTO
  KAFKA_BROKER_PORT KAFKA_BROKER_SERVICE_HOST KAFKA_BROKERS_PORT KAFKA_BROKERS_SERVICE_HOST
  SMTP_SERVICE_HOST SMTP_SERVICE_PORT SMTP_PORT_25_TCP HTTP_SERVICE_HOST HTTP_PORT_80_TCP_ADDR
  HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy HTTPS_PORT HTTPS_HOST HTTP_ROOT
  LOG_DIR LOG_FILE LOG_PATH LOGNAME LOG_COLOR SMTP_RELAY SMTP_SERVER SMTP_FROM SMTPS_PORT LMTP_HOST
  FTP_HOST NTP_HOST FTP_PORT PGHOST PGPORT PGUSER PGPASSWORD PGSSLMODE PGAPPNAME
  DATABASE_HOST DATABASE_PORT DATABASE_USER DATABASE_NAME DATABASE_PASSWORD REDIS_URL
  POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD POSTGRES_HOST TEST_DATABASE_URL TEST_KAFKA_BROKERS
  ALERTMANAGER_URL WINDOWID NO_COLOR TERM TZ LANG HOME PATH HOSTNAME DENO_DIR NODE_OPTIONS`;

Deno.test("a name of others is never taken for a near miss", async () => {
  const example = await Deno.readTextFile(".env.example");
  const documented = Array.from(example.matchAll(/^#?([A-Z][A-Z_]+)=/gm), ([, name]) => name!);
  assert.ok(documented.includes("PGADMIN_PASSWORD") && documented.includes("KAFKA_TOPIC"));
  for (const name of [...OF_OTHERS.trim().split(/\s+/), ...documented, ...SETTINGS]) {
    assert.equal(meantInEnvironment(name), null, name);
    assert.equal(meantInFile(name), null, name);
  }
  for (const name of ["LOGLEVEL", "DATABASE_URI", "HTTP_PORTS", "log_level"]) {
    assert.equal(meantInEnvironment(name), null, name);
  }
});

Deno.test("one slip of a key in any setting's name is told, with a setting that is one slip away", () => {
  const key = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
  const slip = fc.constantFrom<(name: string, at: number, key: string) => string>(
    (name, at) => name.slice(0, at) + name.slice(at + 1),
    (name, at, key) => name.slice(0, at) + key + name.slice(at),
    (name, at, key) => name.slice(0, at) + key + name.slice(at + 1),
    (name, at) => name.slice(0, at) + (name[at + 1] ?? "") + name[at] + name.slice(at + 2),
  );
  const setting = fc.constantFrom(...SETTINGS);
  fc.assert(fc.property(setting, slip, fc.nat(30), key, (setting, slip, at, key) => {
    const name = slip(setting, at % setting.length, key);
    const isAnothers = /^(HTTPS|SMTPS|LMTP)_|^(LOGLEVEL|HTTP_PORTS|DATABASE_URI)$/.test(name);
    if (SETTINGS.includes(name) || isAnothers) return;
    const meant = meantInEnvironment(name);
    assert.ok(meant !== null && Math.abs(meant.length - name.length) <= 1, name);
    if (name.length > 14) assert.equal(meant, setting);
  }));
});
