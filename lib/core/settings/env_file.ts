/**
 * A file `.env`: its variables, and every line that would not mean what it seems to.
 * @module
 */

import { parseEnv } from "node:util";

export interface EnvVariable {
  readonly name: string;
  readonly value: string;
  /** The line that it begins on, from 1. */
  readonly line: number;
}

/** What is wrong with the file; never holds a value, which may be a secret. */
export interface EnvFileProblem {
  /** Null if it is the whole file. */
  readonly line: number | null;
  readonly message: string;
}

export interface EnvFile {
  readonly variables: readonly EnvVariable[];
  readonly problems: readonly EnvFileProblem[];
}

const UTF8 = new TextDecoder("utf-8", { fatal: true }); // passes over a byte order mark

export function parseEnvFile(bytes: Uint8Array): EnvFile {
  const isUtf16 = bytes.includes(0) || (bytes[0] === 0xff && bytes[1] === 0xfe) ||
    (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16) return unreadable("this file is UTF-16, as some editors write it. Save it as UTF-8");
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return unreadable("this file is not UTF-8. Save it as UTF-8");
  }
  return parseLines(text.split(/\r\n?|\n/));
}

function unreadable(message: string): EnvFile {
  return { variables: [], problems: [{ line: null, message }] };
}

const NOTHING = /^\s*(#.*)?$/;
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/;

function parseLines(lines: readonly string[]): EnvFile {
  const variables: EnvVariable[] = [];
  const problems: EnvFileProblem[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    if (NOTHING.test(lines[at]!)) continue;
    const [, name, begun] = lines[at]!.match(ASSIGNMENT) ?? [];
    if (name === undefined || begun === undefined) {
      problems.push({ line, message: "this is not an assignment like NAME=value" });
      continue;
    }
    const text = wholeValue(begun, lines.slice(line));
    if (text === null) {
      problems.push({ line, message: `the quote of ${name} is not closed` });
      continue;
    }
    at += text.split("\n").length - 1;
    const problem = problemOf(name, text);
    if (problem !== null) problems.push({ line, message: problem });
    // The rest of a URL is wrong for the same reason, and would be reported again.
    const isLost = problem !== null && isUrl(text);
    const value = isLost ? "" : parseEnv(`${name}=${text}`)[name] ?? "";
    variables.push({ name, value, line });
  }
  return { variables, problems: [...problems, ...doubles(variables)] };
}

/** Names that are set more than once: one of the values would be ignored silently. */
function doubles(variables: readonly EnvVariable[]): EnvFileProblem[] {
  const lines = new Map<string, number>();
  return variables.flatMap(({ name, line }) => {
    const first = lines.get(name);
    if (first === undefined) {
      lines.set(name, line);
      return [];
    }
    return [{ line, message: `${name} is already set in line ${first}. Remove one of them` }];
  });
}

/** What follows the equals sign, up to the line where its quotes end; null if they do not. */
function wholeValue(begun: string, following: readonly string[]): string | null {
  const quoted = begun.match(/^[ \t]*(["'`])(.*)$/);
  if (!quoted) return begun;
  const [, quote, rest] = quoted;
  if (rest!.includes(quote!)) return begun;
  const last = following.findIndex((line) => line.includes(quote!));
  return last < 0 ? null : [begun, ...following.slice(0, last + 1)].join("\n");
}

/** What is surprising about how the value is read. */
function problemOf(name: string, text: string): string | null {
  const quoted = text.match(/^[ \t]*(["'`])[^]*?\1([^]*)$/);
  if (!quoted) {
    const isCut = /\S#/.test(`=${text.replace(/\s#.*$/, "")}`);
    if (!isCut) return null;
    // In quotes a URL would be cut off as well, when it is parsed.
    const cure = isUrl(text) ? "In a password, write it as %23" : "Put the value in quotes";
    return `# begins a comment and cuts off the value of ${name}. ${cure}`;
  }
  return NOTHING.test(quoted[2]!) ? null : `text follows the closing quote of ${name}`;
}

/** Whether this is a URL that is not in quotes. */
function isUrl(text: string): boolean {
  return /^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text);
}
