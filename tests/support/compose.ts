/**
 * The compose file as `docker compose` understands it.
 * @module
 */

import { join } from "node:path";
import { parse } from "yaml";

export const ROOT = join(import.meta.dirname!, "..", "..");

/** What the tests look at of a service. */
export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile_inline: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly configs?: readonly {
    readonly source: string;
    readonly target: string;
    readonly uid?: string;
    readonly gid?: string;
    readonly mode?: number;
  }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: string | readonly string[] };
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly container_name?: string;
  readonly env_file?: unknown;
  readonly profiles?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The file with its variables replaced, as `env` (the environment and `.env`) has them. */
export async function readCompose(env: Readonly<Record<string, string>> = {}): Promise<Compose> {
  const text = await Deno.readTextFile(join(ROOT, "compose.yaml"));
  return replaceVariables(parse(text, { merge: true }), env) as Compose;
}

/** Each variable of the file, with its default. */
export async function composeVariables(): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(join(ROOT, "compose.yaml"));
  return new Map(
    Array.from(text.matchAll(VARIABLE), ([, name, fallback]) => [name!, fallback!] as const)
      .filter(([name]) => name !== undefined),
  );
}

/** `$$`, or the only form in which the file has variables. */
const VARIABLE = /\$\$|\$\{([A-Z_]+):-([^}]*)\}/g;

function replaceVariables(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") {
    const replaced = value.replaceAll(
      VARIABLE,
      (found, name, fallback) => found === "$$" ? "\0" : env[name] || fallback,
    );
    if (replaced.includes("$")) throw new Error(`A variable has no default: ${value}`);
    return replaced.replaceAll("\0", "$");
  }
  if (Array.isArray(value)) return value.map((each) => replaceVariables(each, env));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, replaceVariables(each, env)]),
  );
}
