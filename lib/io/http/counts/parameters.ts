/**
 * Parses the query parameters of requests for counts.
 * @module
 */

import { fittingStep, stepName, STEPS } from "../../../core/views/steps.ts";
import type { CountsQuery } from "../../postgres/queries/counts/query.ts";
import type { ReasonsQuery } from "../../postgres/queries/dead_letter_reasons.ts";
import type { ExpectedQuery } from "../../postgres/queries/counts/expected.ts";
import type { TotalsQuery } from "../../postgres/queries/totals.ts";
import { named, nameText, time, zoneName } from "../parameters.ts";
import { RequestError } from "../responses.ts";
import { parseCursor } from "./cursor.ts";

/** What requests without parameters depend on. */
export interface Defaults {
  readonly nowMs: number;
  readonly windowMs: number;
}

const MAX_COUNTS = 10_000;
const MAX_NAMES = 20;
const MINUTE_MS = 60_000;
const DEFAULT_RANGE_MS = 15 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DEFAULT_LETTERS_RANGE_MS = DAY_MS;
const FITTING_BARS = 200;
const MAX_BARS = 1_000;

export interface CountsRequest {
  readonly query: CountsQuery;
  readonly format: "json" | "csv" | null;
}

/**
 * The windows of the last quarter of an hour by default.
 * @throws {RequestError} for a value that is invalid, and a step shorter than a window.
 */
export function countsRequest(
  parameters: URLSearchParams,
  { nowMs, windowMs }: Defaults,
): CountsRequest {
  const values = named(
    parameters,
    ["from", "to", "step", "zone", "cursor", "format"],
    ["lottery", "event_type"],
  );
  const { step, cursor, format = null } = values;
  if (format !== null && format !== "json" && format !== "csv") {
    throw new RequestError("format must be json or csv.");
  }
  const place = cursor === undefined ? null : parseCursor(cursor);
  const toMs = values.to === undefined ? place?.toMs ?? nowMs : time("to", values.to);
  const fromMs = values.from === undefined
    ? place?.fromMs ?? toMs - DEFAULT_RANGE_MS
    : time("from", values.from);
  assertOrdered(fromMs, toMs);
  return {
    query: {
      fromMs,
      toMs,
      stepSeconds: countsStep(step, windowMs) / 1000,
      zone: zoneName(values.zone),
      lotteryNames: names("lottery", parameters),
      eventTypes: names("event_type", parameters),
      after: place?.after ?? null,
      limit: MAX_COUNTS,
    },
    format,
  };
}

/** @throws {RequestError} for a value that is missing or invalid. */
export function totalsQuery(parameters: URLSearchParams): TotalsQuery {
  const { from, to, zone } = named(parameters, ["from", "to", "zone"], ["lottery"]);
  if (from === undefined || to === undefined) throw new RequestError("from and to are required.");
  const [fromMs, toMs] = [time("from", from), time("to", to)];
  assertOrdered(fromMs, toMs);
  return { fromMs, toMs, zone: zoneName(zone), lotteryNames: names("lottery", parameters) };
}

/** @throws {RequestError} for a value that is missing or invalid, and a range of more than a day. */
export function expectedQuery(parameters: URLSearchParams): ExpectedQuery {
  const { from, to, zone } = named(parameters, ["from", "to", "zone"], ["lottery", "event_type"]);
  if (from === undefined || to === undefined) throw new RequestError("from and to are required.");
  const [fromMs, toMs] = [time("from", from), time("to", to)];
  assertOrdered(fromMs, toMs);
  if (toMs - fromMs > DAY_MS) throw new RequestError("from and to must be at most a day apart.");
  return {
    fromMs,
    toMs,
    zone: zoneName(zone),
    lotteryNames: names("lottery", parameters),
    eventTypes: names("event_type", parameters),
  };
}

/**
 * The last 24 hours by default, in bars that fit.
 * @throws {RequestError} for a value that is invalid, and too many bars.
 */
export function reasonsQuery(parameters: URLSearchParams, nowMs: number): ReasonsQuery {
  const { from, to, step, zone } = named(parameters, ["from", "to", "step", "zone"]);
  const toMs = to === undefined ? nowMs : time("to", to);
  const fromMs = from === undefined ? toMs - DEFAULT_LETTERS_RANGE_MS : time("from", from);
  assertOrdered(fromMs, toMs);
  const stepMs = step === undefined
    ? fittingStep(toMs - fromMs, FITTING_BARS)
    : STEPS.get(step) ?? refuseStep([...STEPS.keys()]);
  if ((toMs - fromMs) / stepMs > MAX_BARS) {
    throw new RequestError(`from and to must be at most ${MAX_BARS} steps apart.`);
  }
  return { fromMs, toMs, stepSeconds: stepMs / 1000, zone: zoneName(zone) };
}

function countsStep(step: string | undefined, windowMs: number): number {
  const windowName = stepName(windowMs);
  if (step === undefined || step === windowName) return windowMs;
  const longer = [...STEPS].flatMap(([name, stepMs]) => stepMs > windowMs ? [name] : []);
  const stepMs = STEPS.get(step) ?? refuseStep([windowName, ...longer]);
  if (stepMs >= windowMs) return stepMs;
  throw new RequestError(
    `step must be at least ${windowName}, the length of a window (WINDOW_SECONDS).`,
  );
}

function refuseStep(steps: readonly string[]): never {
  throw new RequestError(`step must be one of ${steps.join(", ")}.`);
}

function assertOrdered(fromMs: number, toMs: number): void {
  if (fromMs >= toMs) throw new RequestError("from must be before to.");
}

/** An empty value, as forms send it, means all. */
function names(parameter: string, parameters: URLSearchParams): string[] {
  const all = [...new Set(parameters.getAll(parameter).filter((value) => value !== ""))];
  if (all.length > MAX_NAMES) {
    throw new RequestError(`${parameter} may be given at most ${MAX_NAMES} times.`);
  }
  return all.map((name) => nameText(parameter, name));
}
