import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/core/settings/config.ts";
import { parseEnvFile } from "../../../lib/core/settings/env_file.ts";
import { type Environment, gatherSettings, originOf } from "../../../lib/core/settings/settings.ts";
import { utf8 } from "../records/batches.ts";

const fileOf = (text: string) => parseEnvFile(utf8(text));

Deno.test("gatherSettings() lets the environment win, also where it sets nothing", () => {
  const file = fileOf(
    "KAFKA_TOPIC=a\nKAFKA_OUTPUT_TOPIC=b\nDATABASE_URL=c\nPGPASSWORD=d\nLOG_LEVEL=",
  );
  const settings = gatherSettings(
    { KAFKA_TOPIC: "z", KAFKA_OUTPUT_TOPIC: "", HTTP_PORT: "1", HOME: "/" },
    file,
  );
  assert.deepEqual(settings, {
    values: {
      KAFKA_TOPIC: "z",
      KAFKA_OUTPUT_TOPIC: "",
      DATABASE_URL: "c",
      PGPASSWORD: "d",
      LOG_LEVEL: "",
      HTTP_PORT: "1",
      HOME: "/",
    },
    fromEnvironment: ["KAFKA_TOPIC", "HTTP_PORT"],
    fromFile: ["DATABASE_URL"],
    overridden: ["KAFKA_TOPIC", "KAFKA_OUTPUT_TOPIC"],
    problems: [],
  });
  assert.equal(
    originOf(settings, file, "/srv/app"),
    "1 from /srv/app/.env, 2 from the environment (overriding the file: KAFKA_TOPIC, KAFKA_OUTPUT_TOPIC)",
  );
});

Deno.test("gatherSettings() needs no file", () => {
  const settings = gatherSettings({ KAFKA_TOPIC: "z" }, null);
  assert.deepEqual(settings.values, { KAFKA_TOPIC: "z" });
  assert.equal(originOf(settings, null, "/"), "1 from the environment; no .env file in /");
});

Deno.test("gatherSettings() leaves out what Kubernetes gives for a service", () => {
  const links = { SMTP_PORT: "tcp://10.0.0.7:25", HTTP_PORT: "udp://[fd00::1]:80" };
  const { values, fromEnvironment } = gatherSettings(links, fileOf("SMTP_PORT=2525"));
  assert.deepEqual([values, fromEnvironment], [{ SMTP_PORT: "2525" }, []]);
});

Deno.test("gatherSettings() takes no variable of a service for a near miss", () => {
  const links = { HTTP2_PORT: "tcp://10.0.0.7:80", SMTP1_PORT: "tcp://1.2.3.4:25" };
  assert.deepEqual(gatherSettings(links, null).problems, []);
  assert.equal(gatherSettings({ HTTP2_PORT: "80" }, null).problems.length, 1);
});

Deno.test("gatherSettings() tells all that is wrong in the file, in its order, and near misses in both", () => {
  const { problems } = gatherSettings(
    { HTTP_PROT: "1", KAFKA_HOME: "/opt/kafka" },
    fileOf("SMTP_USER=a\nhello\nKAFKA_BROKER=b\nKAFKA_HEAP_OPTS=-Xmx1g"),
  );
  assert.deepEqual(problems, [
    ".env, line 1: SMTP_USER is not a setting. Did you mean SMTP_USERNAME?",
    ".env, line 2: this is not an assignment like NAME=value",
    ".env, line 3: KAFKA_BROKER is not a setting. Did you mean KAFKA_BROKERS?",
    "In the environment: HTTP_PROT is not a setting. Did you mean HTTP_PORT?",
  ]);
});

Deno.test("a # that cuts off the URL of the file is told once, with what helps", () => {
  const urls = ["postgres://u:p#s@host/db", "postgres://host/db?password=x#y", "postgres://h#x/db"];
  for (const url of urls) {
    const { values, problems } = gatherSettings({}, fileOf(`DATABASE_URL=${url}`));
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^\.env, line 1: # begins .* of DATABASE_URL\. .* %23$/);
    assert.ok("config" in parseConfig(values), url);
  }
  assert.equal(gatherSettings({}, fileOf(`DATABASE_URI=${urls[0]}`)).problems.length, 2);
});

Deno.test("gatherSettings() takes a near miss beside the right name for somebody else's", () => {
  const problemsOf = (environment: Environment) => gatherSettings(environment, null).problems;
  assert.equal(problemsOf({ KAFKA_TOPICS: "a,b" }).length, 1);
  assert.deepEqual(problemsOf({ KAFKA_TOPICS: "a,b", KAFKA_TOPIC: "a" }), []);
});
