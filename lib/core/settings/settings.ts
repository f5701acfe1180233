/**
 * Settings gathered: the environment, and below it a file `.env`.
 * @module
 */

import { SETTINGS } from "./config.ts";
import type { EnvFile } from "./env_file.ts";
import { meantInEnvironment, meantInFile } from "./setting_names.ts";

export type Environment = Readonly<Record<string, string>>;

/** Where settings come from, and what is wrong with their names. */
export interface GatheredSettings {
  readonly values: Environment;
  /** Names of those that the environment gave, and the file. */
  readonly fromEnvironment: readonly string[];
  readonly fromFile: readonly string[];
  /** Those of the file that the environment overrides, also by setting them to nothing. */
  readonly overridden: readonly string[];
  readonly problems: readonly string[];
}

/** @param file null without one. */
export function gatherSettings(environment: Environment, file: EnvFile | null): GatheredSettings {
  const ours = withoutServiceLinks(environment);
  const inFile = Object.fromEntries(
    (file?.variables ?? []).map(({ name, value }) => [name, value]),
  );
  const isSet = (variables: Environment) => (name: string) => Boolean(variables[name]?.trim());
  return {
    values: { ...inFile, ...ours },
    fromEnvironment: SETTINGS.filter(isSet(ours)),
    fromFile: SETTINGS.filter((name) => isSet(inFile)(name) && !Object.hasOwn(ours, name)),
    overridden: SETTINGS.filter((name) => isSet(inFile)(name) && Object.hasOwn(ours, name)),
    problems: [...file ? fileProblems(file) : [], ...environmentProblems(ours)],
  };
}

/** How many settings each origin has set. @param directory of the file. */
export function originOf(
  settings: GatheredSettings,
  file: EnvFile | null,
  directory: string,
): string {
  const { fromEnvironment, fromFile, overridden } = settings;
  const environment = `${fromEnvironment.length} from the environment`;
  if (!file) return `${environment}; no .env file in ${directory}`;
  const overriding = overridden.length === 0
    ? ""
    : ` (overriding the file: ${overridden.join(", ")})`;
  return `${fromFile.length} from ${
    directory.replace(/\/$/, "")
  }/.env, ${environment}${overriding}`;
}

/** Kubernetes gives every container `SMTP_PORT=tcp://10.0.0.7:25` for a service called `smtp`. */
function withoutServiceLinks(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) =>
      !(name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))
    ),
  );
}

function fileProblems({ variables, problems }: EnvFile): string[] {
  const misnamed = variables.flatMap(({ name, line }) => {
    const meant = meantInFile(name);
    return meant === null ? [] : [{ line, message: misnaming(name, meant) }];
  });
  return [...problems, ...misnamed].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).map((
    { line, message },
  ) => line === null ? `.env: ${message}` : `.env, line ${line}: ${message}`);
}

function environmentProblems(environment: Environment): string[] {
  return Object.keys(environment).flatMap((name) => {
    const meant = meantInEnvironment(name);
    if (meant === null || Object.hasOwn(environment, meant)) return [];
    return [`In the environment: ${misnaming(name, meant)}`];
  });
}

function misnaming(name: string, meant: string): string {
  return `${name} is not a setting. Did you mean ${meant}?`;
}
