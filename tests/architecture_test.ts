import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname!, "..");

async function* sourceFiles(directory: string, names = /\.ts$/): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = join(directory, name);
    if (isDirectory) yield* sourceFiles(path, names);
    else if (names.test(path)) yield path;
  }
}

interface Module {
  readonly path: string;
  readonly text: string;
  /** Paths below the root, or names of packages. */
  readonly imports: readonly string[];
}

/** The modules of the first import circle that is found, or null. */
function circleIn(modules: readonly Module[]): readonly string[] | null {
  const importsOf = new Map(modules.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const circleFrom = (path: string, way: readonly string[]): readonly string[] | null => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const imported of importsOf.get(path) ?? []) {
      const circle = circleFrom(imported, [...way, path]);
      if (circle) return circle;
    }
    done.add(path);
    return null;
  };
  for (const { path } of modules) {
    const circle = circleFrom(path, []);
    if (circle) return circle;
  }
  return null;
}

async function modules(...directories: string[]): Promise<Module[]> {
  const found: Module[] = [];
  for (const directory of directories) {
    for await (const path of sourceFiles(directory)) {
      const text = await Deno.readTextFile(join(ROOT, path));
      const imports = Array.from(
        text.matchAll(/(?:^(?:import|export)\b[^;"]*\bfrom |^import |\bimport\()"([^"]+)"/gm),
        ([, specifier]) =>
          specifier!.startsWith(".")
            ? relative(ROOT, join(ROOT, dirname(path), specifier!))
            : specifier!,
      );
      found.push({ path, text, imports });
    }
  }
  return found;
}

/** Folders of lib/ from the inside out; each may import itself and those before it. */
const LAYERS = ["core", "async", "pipeline", "observers", "io", "worker", "auditor", "commands"];

function layerOf(path: string): number {
  return LAYERS.indexOf(path.split("/")[1]!);
}

/** Each driver, and the one file or folder that may know it. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  "@electric-sql/": /^lib\/io\/pglite\.ts$/,
  "@logtape/": /^lib\/io\/(logs\.ts|kafka\/)/,
  "@platformatic/": /^lib\/io\/kafka\/compression\//,
  "commander": /^lib\/commands\/(program|cli\/arguments|[a-z_]+\/command)\.ts$/,
  "kafkajs": /^lib\/io\/kafka\/kafkajs\//,
  "nodemailer": /^lib\/io\/smtp\.ts$/,
  "pg": /^lib\/io\/postgres\/session\/(client|values)\.ts$/,
  "prom-client": /^lib\/io\/metrics\.ts$/,
  "uplot/": /^lib\/io\/http\/page\/files\.ts$/,
};

Deno.test(`imports go one way: main, ${LAYERS.toReversed().join(", ")}`, async () => {
  const all = await modules("lib");
  assert.ok(all.length > 20, "the modules were found");
  for (const { path, imports } of all) {
    assert.notEqual(layerOf(path), -1, `${path} is in no layer`);
    for (const imported of imports.filter((each) => each.startsWith("lib/"))) {
      assert.ok(layerOf(imported) <= layerOf(path), `${path} must not import ${imported}`);
    }
  }
});

Deno.test("no modules import each other in a circle, not even types", async () => {
  assert.equal(circleIn(await modules("lib"))?.join(" → ") ?? "", "");
  const circular = [["a", "b"], ["b", "c"], ["c", "b"]].map(([path, imported]) => (
    { path: path!, text: "", imports: [imported!] }
  ));
  assert.deepEqual(circleIn(circular), ["b", "c", "b"], "a circle would be found");
});

Deno.test("a folder of lib has at most twelve modules of its own, and lib itself has none", async () => {
  const counts = new Map<string, number>();
  for await (const path of sourceFiles("lib", /\.(ts|js|css)$/)) {
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  for (const [folder, count] of counts) assert.ok(count <= 12, `${folder} has ${count}`);
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, "lib"))) {
    assert.ok(isDirectory || name === "README.md", `lib/${name}`);
  }
});

Deno.test("core imports nothing but core, zod, and pure functions of Node.js", async () => {
  for (const { path, imports } of await modules("lib/core")) {
    for (const imported of imports) assert.match(imported, /^(lib\/core\/|(zod|node:util)$)/, path);
  }
});

Deno.test("core has no clock, no timers, no randomness and no environment", async () => {
  for (const { path, text } of await modules("lib/core")) {
    const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(
      code,
      /\bDeno\.|Date\.now|new Date\(\)|performance\b|\bset(Timeout|Interval|Immediate)\b|Math\.random|crypto\.|process\./,
      path,
    );
  }
});

Deno.test("each driver is imported in one place", async () => {
  const main = { path: "main.ts", text: await Deno.readTextFile(join(ROOT, "main.ts")) };
  const mainImports = Array.from(main.text.matchAll(/"([^"]+)"/g), ([, specifier]) => specifier!);
  for (const { path, imports } of [...await modules("lib"), { ...main, imports: mainImports }]) {
    for (const imported of imports) {
      const driver = Object.keys(OWNERS).find((name) =>
        imported === name || imported.startsWith(name.endsWith("/") ? name : `${name}/`)
      );
      if (driver) assert.match(path, OWNERS[driver]!, `${path} must not import ${imported}`);
    }
  }
});

Deno.test("what is inside of io knows no driver, and none of its errors", async () => {
  const drivers = Object.keys(OWNERS).filter((name) => !/^(commander|uplot\/)$/.test(name));
  const foreign = new RegExp(
    [
      "KafkaJS|SQLSTATE",
      '"(?=[A-Z]*\\d)[0-9A-Z]{5}"', // a SQLSTATE: five characters, one of them a digit
      '"E(AI_|CONN|PIPE|TIMEDOUT)', // a code of a socket
      `"(${drivers.join("|")})`,
    ].join("|"),
  );
  for (
    const { path, text } of await modules("lib/core", "lib/async", "lib/pipeline", "lib/observers")
  ) {
    assert.equal(text.match(foreign)?.[0] ?? "", "", path);
  }
});

Deno.test("only main reads arguments and environment, and exits", async () => {
  for (const { path, text } of await modules("lib")) {
    assert.doesNotMatch(text, /\b(Deno|process)\.(exit|env|args|argv)\b/, path);
  }
});

Deno.test("no call spreads a list whose length is not known: a long one overflows the stack", async () => {
  // Not where a function is declared, nor within the brackets of a new list. `logBatchOf()` gets the
  // batches of one read, which has its limit.
  const spread =
    /(?<!function )\b(?!logBatchOf\b)\w+\((?:[^(){}[\]]|\([^(){}]*\)|\[[^[\]]*\])*?\.\.\.(?![A-Z_]+\b)/;
  for (const { path, text } of await modules("lib")) {
    assert.equal(text.match(spread)?.[0] ?? "", "", path);
  }
});

Deno.test("a file has one idea: it says which, and is shorter than 400 lines", async () => {
  for (const { path, text } of await modules("lib")) {
    assert.match(text, /^\/\*\*\n[^]*?@module\n \*\//, `${path} has no module doc`);
    assert.ok(text.split("\n").length <= 400, `${path} is too long`);
  }
  for (const { path, text } of await modules("tests")) {
    assert.ok(text.split("\n").length <= 400, `${path} is too long`);
  }
});
