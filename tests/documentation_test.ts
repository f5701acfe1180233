/** What the books (README.md, those of the rooms, .github, .env.example) say is what there is. */

import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { parse } from "yaml";
import type { Host } from "../lib/commands/cli/host.ts";
import { createProgram } from "../lib/commands/program.ts";
import { DEAD_LETTER_REASONS } from "../lib/core/dead_letters/dead_letter.ts";
import { parseConfig, SETTINGS } from "../lib/core/settings/config.ts";
import { Metrics } from "../lib/io/metrics.ts";
import { WORKER_RIGHTS } from "../lib/io/postgres/schema/rights.ts";
import { WorkerState } from "../lib/observers/worker_state.ts";
import { run } from "./support/guarded_process.ts";
import { serverTest } from "./support/servers.ts";

/** All books by their path. */
const books = new Map<string, string>();
for await (const path of markdownFiles("")) books.set(path, await Deno.readTextFile(path));

const readme = book("README.md");
const example = await Deno.readTextFile(".env.example");
const { version, tasks, imports, permissions } = JSON.parse(await Deno.readTextFile("deno.json"));

async function* markdownFiles(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory || ".")) {
    const path = join(directory, name);
    if (isDirectory && name !== ".git" && name !== "node_modules") yield* markdownFiles(path);
    else if (name.endsWith(".md")) yield path;
  }
}

function book(path: string): string {
  const text = books.get(path);
  assert.ok(text, `there is no ${path}`);
  return text;
}

/** The part of a book under a heading. */
function section(path: string, heading: string): string {
  const [, after] = book(path).split(new RegExp(`^## ${heading}$`, "m"));
  assert.ok(after, `${path} has no section "${heading}"`);
  return after.split(/^## /m)[0]!;
}

/** Cells of the rows of all tables in a text, without their headings. */
function rows(text: string): string[][] {
  return text.split("\n").filter((line, at, lines) =>
    line.startsWith("|") && !/^\| -|^\|-/.test(line) && !/^\| ?-/.test(lines[at + 1] ?? "")
  ).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

function codes(text: string): string[] {
  return Array.from(text.matchAll(/`([^`\n]+)`/g), ([, code]) => code!);
}

/** A text without its blocks of code. */
function prose(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

function headings(text: string, level = /#+/): string[] {
  const lines = prose(text).matchAll(new RegExp(`^${level.source} (.+)$`, "gm"));
  return Array.from(lines, ([, heading]) => heading!);
}

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test(".env.example has every setting, and no others but the passwords of the full stack", () => {
  const names = Array.from(example.matchAll(/^#?([A-Z][A-Z_]+)=/gm), ([, name]) => name!);
  const settings = names.filter((name) => SETTINGS.includes(name));
  assert.deepEqual(settings.sort(), [...SETTINGS].sort());
  for (const name of names) assert.ok(SETTINGS.includes(name) || /_PASSWORD$/.test(name), name);
});

Deno.test(".env.example says of every setting what it means", () => {
  const lines = example.split("\n");
  for (const [at, line] of lines.entries()) {
    if (/^#[A-Z_]+=/.test(line)) assert.match(lines[at - 1]!, /^# .*\S/, line);
  }
});

Deno.test(".env.example shows the defaults", () => {
  const shown = Object.fromEntries(
    Array.from(example.matchAll(/^#?([A-Z][A-Z_]+)=(.*)$/gm), ([, name, value]) => [name!, value!]),
  );
  // A mail server's settings are refused without the server.
  const { SMTP_PORT: _, SMTP_SECURE: __, ...settings } = shown;
  assert.deepEqual(parseConfig(settings), parseConfig({}));
});

Deno.test("the README names ten settings with their defaults", () => {
  const described = rows(section("README.md", "Settings"));
  assert.equal(described.length, 10);
  for (const [setting, value] of described) {
    const [name] = codes(setting!);
    assert.ok(SETTINGS.includes(name!), `${name}`);
    const [, shown] = example.match(new RegExp(`^#${name}=(.*)$`, "m"))!;
    assert.equal(value, shown === "" ? "off" : `\`${shown}\``, setting!);
  }
});

Deno.test("the README fits on a few screens, with tables that fit into a terminal", () => {
  assert.ok(readme.split("\n").length < 220);
  for (const line of readme.split("\n")) {
    if (line.startsWith("|")) assert.ok(line.length <= 100, line);
  }
});

Deno.test("a table of contents names the headings of its book", () => {
  let tables = 0;
  for (const [path, text] of books) {
    const before = text.split(/^## /m)[0]!;
    const entries = Array.from(
      before.matchAll(/^- \[(.+)\]\(#(.+)\)$/gm),
      ([, title, link]) => [title!, link!],
    );
    if (path !== "README.md" && entries.length === 0) continue;
    tables++;
    assert.deepEqual(entries, headings(text, /##/).map((title) => [title, anchor(title)]), path);
  }
  assert.ok(tables > 6);
});

Deno.test("every link leads somewhere", async () => {
  let links = 0;
  for (const [path, text] of books) {
    const targets = prose(text).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g);
    for (const [, link, source] of targets) {
      const target = (link ?? source)!;
      if (/^\w+:/.test(target)) continue;
      links++;
      const [file, fragment] = target.split("#");
      const linked = file === "" ? path : normalize(join(dirname(path), file!));
      assert.ok(await exists(linked), `${path}: ${target}`);
      if (fragment === undefined) continue;
      assert.ok(headings(book(linked)).map(anchor).includes(fragment), `${path}: ${target}`);
    }
  }
  assert.ok(links > 50);
});

Deno.test("every file that a book names is there", async () => {
  const isPath = /^[\w./-]+(\.(ts|js|sql|md|json|yaml|yml|sh|css|html|png)|\/)$/;
  let paths = 0;
  for (const [path, text] of books) {
    for (const code of codes(prose(text))) {
      if (!isPath.test(code) || code.startsWith("/") || !/\w/.test(code)) continue;
      paths++;
      const isThere = await exists(code) || await exists(join(dirname(path), code));
      assert.ok(isThere, `${path}: ${code}`);
    }
  }
  assert.ok(paths > 100);
});

Deno.test("every task and command that a book names is there, with the options that it is given", () => {
  const program = createProgram({} as Host);
  const named = program.commands.map((command) => command.name()).join("|");
  const calls = new RegExp(
    `(deno(?:@[\\d.]+)? task |\`)((?:${named})(?= --)|(?<=task )[a-z][\\w:-]*)((?: (?!deno\\b)[^\\s\`|)#;]+)*)`,
    "g",
  );
  let options = 0;
  for (const [path, text] of books) {
    for (const [call, , task, rest] of text.matchAll(calls)) {
      assert.ok(tasks[task!], `${path}: ${call}`);
      const command = program.commands.find((each) => each.name() === task);
      if (!command) continue; // a task of its own
      const subcommand = command.commands.find((each) => each.name() === rest!.split(" ")[1]);
      const known = [command, ...subcommand ? [subcommand] : []]
        .flatMap((each) => each.options.map(({ long }) => long));
      for (const [option] of rest!.matchAll(/(?<= )--[a-z-]+/g)) {
        options++;
        assert.ok(known.includes(option), `${path}: ${call}`);
      }
    }
  }
  assert.ok(options > 20);
});

Deno.test("the README has a row for every command", () => {
  const described = rows(section("README.md", "Commands")).map(([name]) => codes(name!)[0]!);
  const commands = createProgram({} as Host).commands.map((command) => command.name());
  assert.deepEqual(described.sort(), commands.sort());
  for (const command of commands) assert.ok(tasks[command], command);
});

Deno.test("what status and audit print in a book is what they say", async () => {
  const path = "lib/commands/README.md";
  const printed = { status: 0, audit: 0 };
  for (const [, command, output] of book(path).matchAll(/^\$ deno task (\w+)\n([^]*?)^```$/gm)) {
    if (command !== "status" && command !== "audit") continue;
    const code = await Deno.readTextFile(`lib/commands/${command}/report.ts`);
    for (const line of output!.split("\n")) {
      if (!/^[A-Z][^\d|]*[.:]$/.test(line)) continue; // a sentence without numbers, or a heading
      printed[command]++;
      assert.ok(code.includes(line.replace(/:$/, "")), `${path}: ${line}`);
    }
  }
  assert.ok(printed.status > 0 && printed.audit > 2);
});

Deno.test("every reason for a dead letter is described, and no other", () => {
  const described = rows(section("lib/commands/README.md", "Dead letters"))
    .flatMap(([names]) => codes(names!));
  assert.deepEqual(described.sort(), [...DEAD_LETTER_REASONS].sort());
});

Deno.test("every metric is described, and no other", async () => {
  const described = rows(section("lib/io/http/README.md", "Monitoring"))
    .map(([name]) => codes(name!)[0]!.replace(/\{.*\}$/, ""));
  const text = await new Metrics({ topic: "user-events", state: new WorkerState() }).text();
  const names = Array.from(text.matchAll(/^# HELP (\w+)/gm), ([, name]) => name!);
  assert.ok(names.length > 10);
  assert.deepEqual(described.sort(), names.sort());
});

Deno.test("every table is described, and no other", () => {
  const described = rows(section("lib/io/postgres/README.md", "Tables"))
    .map(([name]) => codes(name!)[0]!);
  const views = ["living_workers", "lottery_windows"];
  const tables = Object.keys(WORKER_RIGHTS).filter((name) => !views.includes(name));
  assert.deepEqual(described.sort(), tables.sort());
  for (const view of views) {
    assert.ok(section("lib/io/postgres/README.md", "Tables").includes(view));
  }
});

Deno.test("the tests of faults that their book names are there, and each is named", async () => {
  const named = new Set(
    Array.from(book("tests/faults/README.md").matchAll(/`(\w+\.ts)`/g), ([, file]) => file!),
  );
  const there = await Array.fromAsync(Deno.readDir("tests/faults"), ({ name }) => name);
  assert.deepEqual([...named].sort(), there.filter((name) => name.endsWith(".ts")).sort());
});

Deno.test("the books say of the tests of faults that they take as long as their task says", () => {
  const [time] = tasks["test:faults"].description.match(/about \d+ minutes on .*$/);
  const named = Array.from(
    [...books.values()].join("\n").matchAll(/`deno task test:faults`[^.;]*/g),
    ([text]) => text,
  );
  assert.equal(named.length, 2);
  for (const text of named) assert.ok(text.replaceAll(/\s+/g, " ").includes(time), text);
});

Deno.test("contributors are told how long the tests take, and how long with nothing but Node.js", () => {
  const [paragraph] = book(".github/CONTRIBUTING.md")
    .match(/`deno task test` are the two commands[^]*?\n\n/)!;
  assert.match(
    paragraph.replaceAll("\n", " "),
    /`deno task test` [^.]*\. The tests take about [\w-]+ minutes on two cores, and half of that with nothing but Node\.js\./,
  );
});

Deno.test("every dependency has its reason, and none that is gone", () => {
  const described = rows(section(".github/CONTRIBUTING.md", "Dependencies"))
    .map(([name]) => codes(name!)[0]!);
  const dependencies = Object.values<string>(imports)
    .map((specifier) => specifier.match(/^npm:\/?(@[^/]+\/[^@/]+|[^@/]+)/)![1]!);
  assert.deepEqual(described.sort(), [...new Set(dependencies)].sort());
});

Deno.test("the security policy says which commands have which permissions", () => {
  const words: Readonly<Record<string, string>> = {
    env: "environment",
    net: "network",
    read: "read",
    sys: "host",
  };
  const described = rows(section(".github/SECURITY.md", "What the program may do"));
  assert.deepEqual(
    described.map(([set]) => codes(set!)[0]!).sort(),
    Object.keys(permissions).sort(),
  );
  for (const [name, commands, may] of described) {
    const [set] = codes(name!);
    const users = Object.keys(tasks).filter((task) =>
      tasks[task].command.includes(` -P=${set} main.ts`)
    );
    assert.deepEqual(codes(commands!).sort(), users.sort());
    const rights = Object.entries(permissions[set!]).map(([right, value]) =>
      right === "write" ? value === true ? "write" : "socket" : words[right]!
    );
    assert.deepEqual(may!.split(", ").sort(), rights.sort());
  }
});

Deno.test("the newest entry of the changelog is the version of the program", () => {
  assert.equal(headings(book(".github/CHANGELOG.md"), /##/)[0], version);
});

Deno.test("nothing takes more than six files to add", () => {
  const entries = section("lib/README.md", "How to add …").split(/^- /m).slice(1);
  const names = entries.map((entry) => entry.match(/^\*\*(.+?)\*\*/)![1]);
  for (const name of ["a source", "a sink", "a metric", "a migration", "a setting", "a command"]) {
    assert.ok(names.includes(name), name);
  }
  for (const entry of entries) {
    const files = new Set(codes(entry).filter((code) => /\.\w+$|\/$/.test(code)));
    files.delete("command.ts"); // a name, not a file
    assert.ok(files.size >= 2 && files.size <= 6, entry);
  }
});

Deno.test("CI runs what CONTRIBUTING says it does", async () => {
  const { on, jobs } = parse(await Deno.readTextFile(".github/workflows/ci.yml"));
  assert.deepEqual(Object.keys(on).sort(), ["pull_request", "push"]);
  const steps = Object.values<{ steps: { run?: string }[] }>(jobs).flatMap(({ steps }) => steps);
  assert.ok(steps.some(({ run }) => run === ".ci/run"));
});

serverTest("GitHub accepts the workflows", ["check-jsonschema"], async () => {
  const workflow = ".github/workflows/ci.yml";
  await run("check-jsonschema", ["--builtin-schema", "vendor.github-workflows", workflow]);
});
