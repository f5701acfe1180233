/**
 * Names that are almost those of settings are reported, because they would be ignored silently.
 * Those of other programs are not: another program's variable must not stop a start.
 * @module
 */

import { SETTINGS } from "./config.ts";

/** Prefixes of other programs that differ from ours in a letter. */
const OTHER_PROGRAMS = /^(HTTPS|LMTP|SMTPS)_/;
/** In an environment these may be another program's. */
const COMMON = new Set(["DATABASE_URI", "HTTP_PORTS", "LOGLEVEL"]);

/** The setting that a variable of the environment was meant to be, or null. */
export function meantInEnvironment(name: string): string | null {
  return COMMON.has(name) ? null : nearest(name);
}

/** The same for a line of our own file, where small letters and a shorter name are reported too. */
export function meantInFile(name: string): string | null {
  if (SETTINGS.includes(name)) return null;
  const upper = name.toUpperCase();
  if (SETTINGS.includes(upper)) return upper;
  const longer = SETTINGS.find((setting) => /_./.test(upper) && setting.startsWith(upper));
  return nearest(upper) ?? longer ?? null;
}

const LONG = 12;

/** One slip of a key away, or two from a long name. */
function nearest(name: string): string | null {
  if (SETTINGS.includes(name) || OTHER_PROGRAMS.test(name)) return null;
  const near = SETTINGS.flatMap((setting) => {
    const most = setting.length < LONG ? 1 : 2;
    if (Math.abs(name.length - setting.length) > most) return [];
    const slips = distance(name, setting);
    return slips > most ? [] : [{ setting, slips }];
  });
  return near.sort((a, b) => a.slips - b.slips)[0]?.setting ?? null;
}

/**
 * Letters to leave out, put in, replace or swap with the next one.
 * @see https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance#Optimal_string_alignment_distance
 */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  rows[0] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]![j] = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + (isSame ? 0 : 1),
        isSwapped ? rows[i - 2]![j - 2]! + 1 : Infinity,
      );
    }
  }
  return rows[a.length]![b.length]!;
}
