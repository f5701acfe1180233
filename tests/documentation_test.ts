/** What README.md and .env.example say is what there is. */

import assert from "node:assert/strict";
import { parseConfig, SETTINGS } from "../lib/core/settings/config.ts";
import { Metrics } from "../lib/io/metrics.ts";
import { WorkerState } from "../lib/observers/worker_state.ts";

const readme = await Deno.readTextFile("README.md");
const example = await Deno.readTextFile(".env.example");

/** The part of the README under a heading. */
function section(heading: string): string {
  const [, after] = readme.split(new RegExp(`^### ${heading}$`, "m"));
  assert.ok(after, `README.md has no section "${heading}"`);
  return after.split(/^##/m)[0]!;
}

/** Names in backquotes in the first column of a section's table. */
function firstColumn(heading: string): string[] {
  return section(heading).split("\n").filter((line) => line.startsWith("|"))
    .flatMap((row) => Array.from(row.split("|")[1]!.matchAll(/`([^`]+)`/g), ([, name]) => name!));
}

Deno.test("the README has a row for every setting", () => {
  const described = section("Settings");
  for (const setting of SETTINGS) assert.ok(described.includes(`\`${setting}\``), setting);
  for (const name of firstColumn("Settings")) assert.ok(SETTINGS.includes(name), name);
});

Deno.test(".env.example has every setting", () => {
  const names = Array.from(example.matchAll(/^#?([A-Z][A-Z_]+)=/gm), ([, name]) => name!);
  for (const setting of SETTINGS) assert.ok(names.includes(setting), setting);
});

Deno.test(".env.example shows the defaults", () => {
  const shown = Object.fromEntries(
    Array.from(example.matchAll(/^#?([A-Z][A-Z_]+)=(.*)$/gm), ([, name, value]) => [name!, value!]),
  );
  // A mail server's settings are refused without the server.
  const { SMTP_PORT: _, SMTP_SECURE: __, ...settings } = shown;
  assert.deepEqual(parseConfig(settings), parseConfig({}));
});

Deno.test("the README names every metric", async () => {
  const described = section("What is watched");
  const names = Array.from(
    (await new Metrics({ topic: "user-events", state: new WorkerState() }).text()).matchAll(
      /^# HELP (\w+)/gm,
    ),
    ([, name]) => name!,
  );
  assert.ok(names.length > 10);
  for (const name of names) assert.ok(described.includes(name), name);
});

Deno.test("the README names the defaults of the settings", () => {
  for (const [, name, value] of example.matchAll(/^#([A-Z_]+)=(.+)$/gm)) {
    if (!SETTINGS.includes(name!)) continue; // the full stack's, which have no setting
    const row = section("Settings").split("\n").find((line) => line.includes(`\`${name}\``));
    if (!row?.includes("off")) assert.ok(row?.includes(`\`${value}\``), `${name}=${value}`);
  }
});

Deno.test("the tests of faults that the README names are there, and each is named", async () => {
  const named = new Set(
    Array.from(section("What happens when …").matchAll(/`(\w+\.ts)`/g), ([, file]) => file!),
  );
  const there = await Array.fromAsync(Deno.readDir("tests/faults"), ({ name }) => name);
  assert.deepEqual([...named].sort(), there.sort());
});

Deno.test("the README says of the tests of faults that they take as long as their task says", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
  const [time] = tasks["test:faults"].description.match(/about \d+ minutes on .*$/);
  const named = Array.from(readme.matchAll(/deno task test:faults`[^.;]*/g), ([text]) => text);
  assert.equal(named.length, 2);
  for (const text of named) assert.ok(text.replaceAll("\n", " ").includes(time), text);
});

Deno.test("the README says how long the tests take, and how long with nothing but Node.js", () => {
  const [paragraph] = readme.match(/`deno task test` are the two commands[^]*?\n\n/)!;
  assert.match(
    paragraph.replaceAll("\n", " "),
    /`deno task test` [^.]*\. The tests take about [\w-]+ minutes on two cores, and half of that with nothing but Node\.js\./,
  );
});
