/**
 * What a worker does, in the one line that it shows on a terminal.
 * @module
 */

import { fittingLine, type FittingOptions, type LinePart } from "./fitting_line.ts";
import { age, duration, groupDigits } from "./numbers.ts";

export interface WorkerView {
  readonly doing: "starting" | "counting" | "standing by" | "stopping";
  readonly away: readonly { readonly system: string; readonly seconds: number }[];
  readonly eventsPerSecond: number;
  readonly events: number;
  /** Records that wait in its partitions, or null if that is not known. */
  readonly lagRecords: number | null;
  /** Seconds since the last commit, or null before the first one. */
  readonly commitAge: number | null;
  /** What else is worth a word. */
  readonly note: string | null;
  readonly address: string;
}

/** `98/s · 12,345 events · lag 12 · last commit just now · http://127.0.0.1:8000/`. */
export function statusLine(view: WorkerView, options: FittingOptions): string {
  const { events, lagRecords, commitAge, note, address } = view;
  const parts: (LinePart | null)[] = [
    doing(view),
    { text: `${groupDigits(events)} events`, rank: 2 },
    lagRecords === null ? null : { text: `lag ${groupDigits(lagRecords)}`, rank: 4 },
    commitAge === null ? null : { text: `last commit ${age(commitAge)}`, rank: 6 },
    note === null ? null : { text: note, rank: 5 },
    { text: address, rank: 3, color: "cyan" },
  ];
  return fittingLine(parts.filter((part) => part !== null), options);
}

function doing({ doing, away, eventsPerSecond }: WorkerView): LinePart {
  if (doing === "stopping") return { text: doing, rank: 1 };
  if (away.length > 0) {
    const systems = away.map(({ system, seconds }) => `${system}, ${duration(seconds)}`);
    return { text: `waiting for ${systems.join(", and for ")}`, rank: 1, color: "yellow" };
  }
  if (doing !== "counting") return { text: doing, rank: 1 };
  return { text: `${groupDigits(Math.round(eventsPerSecond))}/s`, rank: 1 };
}
