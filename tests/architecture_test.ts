import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname!, "..");

async function* sourceFiles(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = join(directory, name);
    if (isDirectory) yield* sourceFiles(path);
    else if (path.endsWith(".ts")) yield path;
  }
}

interface Module {
  readonly path: string;
  readonly text: string;
  /** Paths below the root, or names of packages. */
  readonly imports: readonly string[];
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
const LAYERS = ["core", "async", "pipeline", "observers", "io", "worker", "commands"];

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

Deno.test("core imports nothing but core, zod, and pure functions of Node.js", async () => {
  for (const { path, imports } of await modules("lib/core")) {
    for (const imported of imports) assert.match(imported, /^(lib\/core\/|(zod|node:util)$)/, path);
  }
});

Deno.test("core has no clock, no randomness and no environment", async () => {
  for (const { path, text } of await modules("lib/core")) {
    const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(
      code,
      /\bDeno\.|Date\.now|new Date\(\)|Math\.random|crypto\.|process\./,
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
