/** Addresses, names and passwords of the stack agree, whoever writes them down. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig, SETTINGS } from "../../lib/core/settings/config.ts";
import { composeVariables, readCompose, ROOT } from "../support/compose.ts";

const compose = await readCompose();

Deno.test("a worker on the host and one in the stack count the same topic into the same tables", () => {
  const onHost = parseConfig({});
  const inStack = parseConfig(compose.services.worker!.environment!);
  assert.ok("config" in onHost && "config" in inStack);
  const { kafka, databaseUrl, ...rest } = inStack.config;
  assert.deepEqual({ ...kafka, brokers: null }, { ...onHost.config.kafka, brokers: null });
  const url = new URL(databaseUrl);
  const hostUrl = new URL(onHost.config.databaseUrl);
  assert.deepEqual([url.username, url.pathname], [hostUrl.username, hostUrl.pathname]);
  assert.equal(compose.services.worker!.environment!.PGPASSWORD, hostUrl.password);
  const counting = ({ windowMs, maxFutureMs, graceMs }: typeof rest) => [
    windowMs,
    maxFutureMs,
    graceMs,
  ];
  assert.deepEqual(counting(rest), counting(onHost.config));
});

Deno.test("the auditor audits what the worker counts, and mails where the worker does", () => {
  const { worker, auditor } = compose.services;
  const ofWorkers = new Set(["HTTP_HOST", "HTTP_PORT", "ALERT_QUIET_TYPES"]);
  const settings = Object.fromEntries(
    Object.entries(worker!.environment!).filter(([name]) => !ofWorkers.has(name)),
  );
  assert.deepEqual(auditor!.environment, settings);
  assert.deepEqual(auditor!.command!.slice(-2), ["audit", "--watch=15m"]);
});

Deno.test("the services know each other by the addresses and names that they have", () => {
  const { kafka, topics, worker, producer, postgres, prometheus, mailpit, grafana } =
    compose.services;
  const listeners = kafka!.environment!.KAFKA_ADVERTISED_LISTENERS!.split(",");
  const internal = listeners.find((each) => each.startsWith("INTERNAL://"))!.slice(11);
  assert.equal(internal, "kafka:29092");
  assert.ok(listeners.includes("EXTERNAL://localhost:9092"));
  assert.ok(topics!.entrypoint!.includes(`--bootstrap-server=${internal}`));
  assert.ok(topics!.entrypoint!.includes("--topic=user-events"));
  assert.ok(topics!.entrypoint!.includes("--partitions=4"));
  for (const { environment } of [worker!, producer!]) {
    assert.equal(environment!.KAFKA_BROKERS, internal);
    assert.equal(environment!.KAFKA_TOPIC, "user-events");
  }
  const akhq = parse(compose.services.akhq!.environment!.AKHQ_CONFIGURATION!);
  const { properties } = akhq.akhq.connections["docker-kafka-server"];
  assert.equal(properties["bootstrap.servers"], internal);

  const { POSTGRES_USER, POSTGRES_DB, GRAFANA_DB_PASSWORD } = postgres!.environment!;
  const url = new URL(worker!.environment!.DATABASE_URL!);
  assert.deepEqual([url.host, url.username, url.pathname], [
    "postgres:5432",
    POSTGRES_USER,
    `/${POSTGRES_DB}`,
  ]);
  assert.equal(grafana!.environment!.GRAFANA_DB_PASSWORD, GRAFANA_DB_PASSWORD);
  assert.ok(mailpit);
  assert.equal(worker!.environment!.SMTP_HOST, "mailpit");
  assert.equal(grafana!.environment!.GF_SMTP_HOST, `mailpit:${worker!.environment!.SMTP_PORT}`);

  const { scrape_configs: [job] } = parse(
    compose.configs[prometheus!.configs![0]!.source]!.content,
  );
  const [{ names, type, port }] = job.dns_sd_configs;
  assert.deepEqual([names, type], [["worker"], "A"]);
  assert.equal(String(port), worker!.environment!.HTTP_PORT);
  assert.match(worker!.ports![0]!, new RegExp(`:${worker!.environment!.HTTP_PORT}$`));
  assert.match(
    String(worker!.healthcheck!.test),
    new RegExp(`127.0.0.1:${worker!.environment!.HTTP_PORT}/readyz`),
  );
});

Deno.test("pgAdmin has the server registered, and logs in by itself", () => {
  const { postgres, pgadmin } = compose.services;
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres!.environment!;
  const { Servers } = JSON.parse(compose.configs["pgadmin-servers"]!.content);
  const { Name, Group, Host, Port, Username, MaintenanceDB, ConnectionParameters } = Servers["1"];
  assert.deepEqual([Name, Group], ["Lottery_Postgres_Server", "Servers"]);
  assert.deepEqual([Host, Port, Username, MaintenanceDB], [
    "postgres",
    5432,
    POSTGRES_USER,
    POSTGRES_DB,
  ]);
  assert.equal(ConnectionParameters.passfile, "/.pgpass");
  const { target } = pgadmin!.configs!.find(({ source }) => source === "pgpass")!;
  assert.equal(pgadmin!.environment!.PGPASS_FILE, target);
  assert.equal(
    compose.configs.pgpass!.content.trim(),
    `${Host}:${Port}:*:${POSTGRES_USER}:${POSTGRES_PASSWORD}`,
  );
});

Deno.test("of .env, the stack takes its passwords and nothing else", async () => {
  const example = await Deno.readTextFile(join(ROOT, ".env.example"));
  const variables = await composeVariables();
  assert.equal(variables.size, 4);
  const leaks = Object.fromEntries([...SETTINGS, "PGPASSWORD"].map((name) => [name, "leak"]));
  const passwords = Object.fromEntries([...variables.keys()].map((name) => [name, `new ${name}`]));
  const text = JSON.stringify(await readCompose({ ...leaks, ...passwords }));
  assert.doesNotMatch(text, /leak/);
  for (const [name, fallback] of variables) {
    assert.match(name, /_PASSWORD$/);
    assert.match(text, new RegExp(`new ${name}`));
    assert.match(example, new RegExp(`^#${name}=${fallback}$`, "m"));
  }
});

Deno.test("the files of pgAdmin and Prometheus are where they read them, with the right to", () => {
  const files = Object.values(compose.services).flatMap(({ configs = [] }) => configs);
  assert.deepEqual(Object.fromEntries(files.map(({ source, target }) => [source, target])), {
    "pgadmin-servers": "/pgadmin4/servers.json",
    pgpass: compose.services.pgadmin!.environment!.PGPASS_FILE,
    prometheus: "/etc/prometheus/prometheus.yml",
  });
  for (const { source, uid, gid, mode } of files) {
    assert.deepEqual([uid, gid, mode], ["0", "0", 0o444], source);
  }
});

Deno.test("a new password reaches everyone who logs in with it", async () => {
  const { services, configs } = await readCompose({
    POSTGRES_PASSWORD: "of the admin",
    GRAFANA_DB_PASSWORD: "of the reader",
  });
  const { postgres, worker, auditor, grafana } = services;
  assert.equal(postgres!.environment!.POSTGRES_PASSWORD, "of the admin");
  for (const program of [worker, auditor]) {
    assert.equal(program!.environment!.PGPASSWORD, "of the admin");
  }
  assert.equal(configs.pgpass!.content.trim(), "postgres:5432:*:admin:of the admin");
  assert.equal(postgres!.environment!.GRAFANA_DB_PASSWORD, "of the reader");
  assert.equal(grafana!.environment!.GRAFANA_DB_PASSWORD, "of the reader");
});
