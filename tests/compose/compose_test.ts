/** The compose file itself: its form, its images and ports, and what its programs may do. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { readCompose, ROOT } from "../support/compose.ts";
import { run } from "../support/guarded_process.ts";
import { KAFKA_VERSION } from "../support/kafka.ts";
import { serverTest } from "../support/servers.ts";

const compose = await readCompose();
const services = Object.entries(compose.services);

serverTest("compose.yaml keeps to the compose specification", ["check-jsonschema"], async () => {
  const file = join(ROOT, "compose.yaml");
  await run("check-jsonschema", ["--builtin-schema", "vendor.compose-spec", file]);
});

serverTest(
  "the worker's Dockerfile has nothing that its linter warns of",
  ["hadolint"],
  async () => {
    const { build } = compose.services.worker!;
    const { dockerfile_inline: stdin } = build!;
    await run("hadolint", ["--failure-threshold=warning", "-"], { stdin });
  },
);

Deno.test("everything that a service names is there", async () => {
  for (const [name, { volumes = [], configs = [], depends_on = {} }] of services) {
    for (const volume of volumes) {
      const [source] = volume.split(":") as [string];
      if (source.startsWith(".")) await Deno.stat(join(ROOT, source));
      else assert.ok(source in compose.volumes, `${name}: volume ${source}`);
    }
    for (const { source } of configs) assert.ok(source in compose.configs, `${name}: ${source}`);
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const awaited = compose.services[other];
      assert.ok(awaited, `${name} waits for ${other}`);
      if (condition === "service_healthy") assert.ok(awaited.healthcheck, `${other} has no health`);
      assert.equal(
        awaited.restart === "no",
        condition === "service_completed_successfully",
        `${name} waits for ${other} in the wrong way`,
      );
    }
  }
});

Deno.test("every image is pinned, every service has a memory limit and says what to do when it ends", () => {
  for (const [name, { image, build, mem_limit, restart }] of services) {
    if (build) assert.match(build.dockerfile_inline, /^FROM \S+:\d+\.\d+\.\d+$/m);
    else assert.match(image ?? "", /:v?\d+\.\d+(\.\d+)?$/, name);
    assert.match(mem_limit ?? "", /^\d+[mg]$/, name);
    assert.ok(restart, name);
  }
});

Deno.test("the stack has the versions that are tested", async () => {
  const { worker, kafka, topics } = compose.services;
  const ci = await Deno.readTextFile(join(ROOT, ".ci/run"));
  const [, deno] = ci.match(/deno@(\S+)/)!;
  assert.ok(worker!.build!.dockerfile_inline.startsWith(`FROM denoland/deno:${deno}\n`));
  assert.equal(kafka!.image, `apache/kafka:${KAFKA_VERSION}`);
  assert.equal(topics!.image, kafka!.image);
});

Deno.test("no two services build under one name: their first builds run at once and would collide", () => {
  const names = services.filter(([, { build }]) => build).map(([name, { image }]) => image ?? name);
  assert.deepEqual(names, [...new Set(names)]);
});

/** Host ports of `127.0.0.1:8000-8009:8000`. */
function hostPorts(mapping: string): number[] {
  const [, first, last] = mapping.match(/^127\.0\.0\.1:(\d+)(?:-(\d+))?:\d+$/) ??
    assert.fail(`${mapping} is not bound to 127.0.0.1`);
  const from = Number(first);
  return Array.from({ length: Number(last ?? first) - from + 1 }, (_, at) => from + at);
}

Deno.test("ports are open to this machine only, and none is taken twice", () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports.flatMap(hostPorts));
  assert.deepEqual(ports, [...new Set(ports)]);
});

Deno.test("everything is where it was in the replaced system, with the same logins", () => {
  const { kafka, postgres, akhq, pgadmin, grafana, worker } = compose.services;
  const published = [kafka, postgres, akhq, pgadmin, grafana, worker]
    .map((service) => service!.ports!);
  assert.deepEqual(published.flat(), [
    "127.0.0.1:9092:9092",
    "127.0.0.1:5432:5432",
    "127.0.0.1:8080:8080",
    "127.0.0.1:5050:80",
    "127.0.0.1:3000:3000",
    "127.0.0.1:8000-8009:8000",
  ]);
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres!.environment!;
  assert.deepEqual([POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB], [
    "admin",
    "admin",
    "lottery_db",
  ]);
  const { PGADMIN_DEFAULT_EMAIL, PGADMIN_DEFAULT_PASSWORD } = pgadmin!.environment!;
  assert.deepEqual([PGADMIN_DEFAULT_EMAIL, PGADMIN_DEFAULT_PASSWORD], ["admin@admin.com", "admin"]);
  const { GF_SECURITY_ADMIN_USER, GF_SECURITY_ADMIN_PASSWORD } = grafana!.environment!;
  assert.deepEqual([GF_SECURITY_ADMIN_USER, GF_SECURITY_ADMIN_PASSWORD], ["admin", "admin"]);
  const { akhq: { connections } } = parse(akhq!.environment!.AKHQ_CONFIGURATION!);
  assert.deepEqual(Object.keys(connections), ["docker-kafka-server"]);
});

Deno.test("the README of the stack says where everything is, and how to log in", async () => {
  const readme = await Deno.readTextFile(join(ROOT, "grafana/README.md"));
  const named = new Set(
    Array.from(readme.matchAll(/localhost:(\d+)/g), ([, port]) => Number(port)),
  );
  const published = services.flatMap(([, { ports = [] }]) =>
    ports.map((port) => hostPorts(port)[0]!)
  );
  assert.deepEqual([...named].sort(), published.sort());
  const megabytes = services.filter(([, { restart }]) => restart !== "no")
    .map(([, { mem_limit }]) => parseInt(mem_limit!) * (mem_limit!.endsWith("g") ? 1024 : 1));
  const gigabytes = megabytes.reduce((sum, each) => sum + each, 0) / 1024;
  assert.match(readme, new RegExp(`may use ${(Math.ceil(gigabytes * 2) / 2)} GB`));
});

Deno.test("the programs get the flags of their tasks, on a file system that cannot be written", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const flags = (words: readonly string[]) =>
    words.filter((each) => /^--(allow|no-prompt|v8)/.test(each));
  const programs = [["worker", "start"], ["auditor", "audit"], ["producer", "produce"]] as const;
  for (const [name, task] of programs) {
    const service = compose.services[name]!;
    const { command, build } = service;
    assert.deepEqual(flags(command!), flags(tasks[task].command.split(" ")));
    assert.ok(command!.includes("--cached-only"));
    assert.match(build!.dockerfile_inline, /^USER deno$/m);
    const { read_only, tmpfs, cap_drop, security_opt, stop_grace_period } = service;
    assert.deepEqual([read_only, tmpfs, cap_drop], [true, ["/tmp"], ["ALL"]]);
    assert.deepEqual(security_opt, ["no-new-privileges:true"]);
    assert.equal(stop_grace_period, "20s");
  }
});
