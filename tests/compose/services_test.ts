/** What each service of the stack does with its neighbours, its volume and its port. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../lib/core/settings/config.ts";
import { readCompose, ROOT } from "../support/compose.ts";

const compose = await readCompose();
const services = Object.entries(compose.services);

Deno.test("one command starts everything, and every worker is one of several", () => {
  for (const [name, { profiles, container_name }] of services) {
    assert.equal(profiles, undefined, name);
    assert.equal(container_name, undefined, name);
  }
  const { worker, topics } = compose.services;
  const [, first, last] = worker!.ports![0]!.match(/:(\d+)-(\d+):/)!;
  const partitions = topics!.entrypoint!.join(" ").match(/--partitions=(\d+)/)![1];
  assert.ok(Number(last) - Number(first) + 1 >= Number(partitions), "too few ports for workers");
  assert.equal(worker!.environment!.HTTP_HOST, "0.0.0.0", "nobody else could see its page");
});

Deno.test("no variable gets into a container that does not stand in its service", () => {
  for (const [name, { env_file, environment = {} }] of services) {
    assert.equal(env_file, undefined, name);
    for (const [variable, value] of Object.entries(environment)) {
      assert.equal(typeof value, "string", `${name}: ${variable} would come from the shell`);
    }
  }
});

const WAITS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  topics: { kafka: "service_healthy" },
  producer: { topics: "service_completed_successfully" },
  worker: {
    topics: "service_completed_successfully",
    postgres: "service_healthy",
    mailpit: "service_started",
  },
  auditor: {
    topics: "service_completed_successfully",
    postgres: "service_healthy",
    mailpit: "service_started",
  },
  grafana: {
    postgres: "service_healthy",
    prometheus: "service_healthy",
    mailpit: "service_started",
  },
  akhq: { kafka: "service_healthy" },
  pgadmin: { postgres: "service_healthy" },
};

Deno.test("every service waits for those that it cannot do without", () => {
  for (const [name, { depends_on = {} }] of services) {
    const conditions = Object.entries(depends_on).map(([other, { condition }]) => [
      other,
      condition,
    ]);
    assert.deepEqual(Object.fromEntries(conditions), WAITS[name] ?? {}, name);
  }
});

/** Where the images keep what has to outlive their containers. */
const KEPT: Readonly<Record<string, string>> = {
  kafka: "/var/lib/kafka/data",
  postgres: "/var/lib/postgresql/data",
  grafana: "/var/lib/grafana",
  prometheus: "/prometheus",
  mailpit: "/data",
};

Deno.test("what has to outlive a container is on a volume of its own", () => {
  const kept = services.flatMap(([name, { volumes = [] }]) =>
    volumes.filter((volume) => !volume.startsWith(".")).map((volume) => [name, volume.split(":")])
  );
  const expected = Object.entries(KEPT).map(([name, path]) => [name, [`${name}-data`, path]]);
  assert.deepEqual(Object.fromEntries(kept), Object.fromEntries(expected));
  const { kafka, mailpit } = compose.services;
  assert.equal(kafka!.environment!.KAFKA_LOG_DIRS, KEPT.kafka);
  assert.ok(mailpit!.environment!.MP_DATABASE!.startsWith(`${KEPT.mailpit}/`));
});

Deno.test("a service is asked for its health at the port where it answers", () => {
  for (const [name, { healthcheck, ports = [] }] of services) {
    const [, asked] = String(healthcheck?.test ?? "").match(/http:\/\/127\.0\.0\.1:(\d+)\//) ?? [];
    if (asked) assert.equal(ports[0]!.split(":").at(-1), asked, name);
  }
  // By its socket PostgreSQL answers while it is still being initialised.
  assert.match(compose.services.postgres!.healthcheck!.test as string, /^pg_isready -h 127.0.0.1 /);
});

Deno.test("the producer sends some late and some bad events, too few for a mail", () => {
  const { command } = compose.services.producer!;
  const options = Object.fromEntries(
    command!.filter((word) => word.includes("=")).map((word) => word.slice(2).split("=")),
  );
  const [rate, late, bad] = [options.rate, options.late, options.bad].map(Number);
  assert.equal(rate, 10);
  assert.ok(late! > 0 && bad! > 0);
  const defaults = parseConfig({});
  assert.ok("config" in defaults);
  assert.ok(60 * rate * bad! < defaults.config.alertDeadLettersPerMinute);
});

Deno.test("the producer sends two weeks to an empty topic, so that a week has one before it", () => {
  const { command } = compose.services.producer!;
  const history = command!.find((word) => word.startsWith("--history="));
  assert.ok(parseInt(history!.split("=")[1]!) > 14, `${history}`);
});

Deno.test("the producer goes on with a topic in use, though nobody is there to be asked", () => {
  const { command } = compose.services.producer!;
  assert.ok(command!.indexOf("--yes") > command!.indexOf("produce"), command!.join(" "));
});

Deno.test("packages are a layer of the image that a change of the program leaves alone", () => {
  const steps = compose.services.worker!.build!.dockerfile_inline.split("\n");
  const install = steps.indexOf("RUN deno ci --prod --skip-types");
  const copied = steps.slice(0, install).filter((step) => step.startsWith("COPY"));
  assert.deepEqual(copied, ["COPY --chown=deno:deno deno.json deno.lock ./"]);
  assert.ok(steps.slice(install).some((step) => step.startsWith("COPY") && step.includes(" lib ")));
});

Deno.test("the image gets nothing but what is named, least of all .env", async () => {
  const rules = (await Deno.readTextFile(join(ROOT, ".dockerignore"))).split("\n")
    .filter((rule) => rule && !rule.startsWith("#"));
  assert.equal(rules[0], "*");
  for (const rule of rules.slice(1)) assert.match(rule, /^!\w+(\.\w+)?$/);
});
