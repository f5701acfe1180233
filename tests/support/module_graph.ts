/**
 * Which modules Deno loads for one, as `deno info` has it.
 * @module
 */

import { run } from "./guarded_process.ts";

interface Info {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly local?: string;
    readonly dependencies?: readonly {
      /** Missing if only types are imported. */
      readonly code?: { readonly specifier?: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
}

export interface GraphOptions {
  /** Leaves out what is loaded only when `import()` is called. */
  readonly isStatic?: boolean;
}

/** Paths of the files and specifiers of the packages that a module loads; imports of types load nothing. */
export async function loadedModules(
  path: string,
  { isStatic = false }: GraphOptions = {},
): Promise<string[]> {
  const { roots, modules }: Info = JSON.parse(await run(Deno.execPath(), ["info", "--json", path]));
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    for (const { code, isDynamic } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (code?.specifier && !(isStatic && isDynamic)) loaded.add(code.specifier);
    }
  }
  return Array.from(loaded, (specifier) => bySpecifier.get(specifier)?.local ?? specifier);
}
