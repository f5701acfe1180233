/**
 * Dead letters by reason over the chosen range, with the command that replays them.
 * @module
 */

import { RANGES } from "../address.js";
import { getJson } from "../api.js";
import { colorOf, swatch } from "../chart/palette.js";
import { find, make, setText } from "../dom.js";
import { visible, whole, zone } from "../format.js";
import { spanText } from "../times.js";

/** @typedef {import("../../counts/json.ts").ReasonsJson} Reasons */
/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {import("../address.js").Span} Span */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Of ranges that end now. @type {Readonly<Record<keyof typeof RANGES, number>>} */
const LENGTHS_MS = {
  "15m": 15 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "24h": DAY_MS,
  "7d": 7 * DAY_MS,
  "30d": 30 * DAY_MS,
  "1y": 365 * DAY_MS,
};
/** @type {readonly (readonly [name: string, ms: number])[]} */
const STEPS = [
  ["1m", MINUTE_MS],
  ["5m", 5 * MINUTE_MS],
  ["15m", 15 * MINUTE_MS],
  ["1h", 60 * MINUTE_MS],
  ["6h", 360 * MINUTE_MS],
  ["1d", DAY_MS],
  ["7d", 7 * DAY_MS],
];
const MAX_BARS = 62;
/** What the command line accepts without quotes. */
const PLAIN_REASON = /^[a-z_]+$/;
const COPIED_MS = 2_000;

/**
 * Dead letters are found by when they were received, so that a range that ends now does so by the
 * clock.
 * @param {Choice["range"]} range
 * @param {number} nowMs
 */
export async function showReasons(range, nowMs) {
  const span = receivedIn(range, nowMs);
  const place = find("#letter-reasons");
  const note = find("#reasons-note");
  place.replaceChildren();
  setText(note, "Loading …");
  try {
    /** @type {Reasons} */
    const reasons = await getJson(`/api/dead-letters/reasons?${reasonsSearch(span)}`);
    const which = typeof range === "object"
      ? spanText(span.fromMs, span.toMs)
      : `in the last ${RANGES[range]}`;
    const total = reasons.totals.reduce((sum, { records }) => sum + records, 0);
    setText(note, total === 0 ? `None received ${which}.` : `${whole(total)} received ${which}.`);
    if (total === 0) return;
    const sorted = reasons.totals.toSorted((a, b) => b.records - a.records);
    const received = {
      fromMs: Date.parse(reasons.from), // of the first bar
      toMs: typeof range === "object" ? Date.parse(reasons.to) : null,
    };
    place.replaceChildren(
      barsOf(reasons, sorted.map(({ reason }) => reason)),
      make("ul", "reasons", ...sorted.map((each, at) => itemOf(each, at, received))),
      make(
        "p",
        "muted",
        "With --dry-run a command only shows what it would do. --set repairs a field.",
      ),
    );
  } catch (/** @type {any} */ error) {
    setText(note, error.message);
  }
}

/** @param {Choice["range"]} range @param {number} nowMs @returns {Span} */
export function receivedIn(range, nowMs) {
  return typeof range === "object" ? range : { fromMs: nowMs - LENGTHS_MS[range], toMs: nowMs };
}

/** @param {Span} span */
function reasonsSearch({ fromMs, toMs }) {
  const [step] = STEPS.find(([, ms]) => (toMs - fromMs) / ms <= MAX_BARS) ?? ["7d"];
  return new URLSearchParams({
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    step,
    zone: zone(),
  });
}

/** @param {Reasons} reasons @param {readonly string[]} order */
function barsOf({ bars }, order) {
  const sums = bars.map(({ reasons }) =>
    Object.values(reasons).reduce((sum, each) => sum + each, 0)
  );
  const most = Math.max(1, ...sums);
  const columns = bars.map(({ start, end, reasons }, at) => {
    const parts = order.flatMap((reason, place) => {
      const records = reasons[reason] ?? 0;
      if (records === 0) return [];
      const part = make("i", "");
      part.style.height = `${records / most * 100}%`;
      part.style.background = colorOf(place);
      return [part];
    });
    const column = make("span", "", ...parts.reverse());
    column.title = `${spanText(Date.parse(start), Date.parse(end))}: ${whole(sums[at] ?? 0)}`;
    return column;
  });
  const chart = make("div", "reason-bars", ...columns);
  chart.role = "img";
  chart.ariaLabel = `Dead letters over time, at most ${whole(most)} per bar`;
  const [first, last] = [bars[0], bars.at(-1)];
  const span = first && last ? spanText(Date.parse(first.start), Date.parse(last.end)) : "";
  return make("figure", "", chart, make("figcaption", "muted", span));
}

/**
 * @param {Reasons["totals"][number]} total
 * @param {number} at
 * @param {{ fromMs: number, toMs: number | null }} received
 */
function itemOf({ reason, records, replayed }, at, received) {
  const open = records - replayed;
  const command = open > 0 ? replayCommand(reason, open, received) : null;
  return make(
    "li",
    "",
    make(
      "p",
      "",
      swatch(at),
      make("strong", "", visible(reason)),
      make("span", "", `${whole(records)}`),
      ...replayed > 0 ? [make("span", "replayed", `${whole(replayed)} replayed`)] : [],
    ),
    ...command === null ? [] : [commandLine(command)],
  );
}

/**
 * A command that shows what a replay would do; it takes seconds for what they are.
 * @param {string} reason
 * @param {number} records
 * @param {{ fromMs: number, toMs: number | null }} received
 */
export function replayCommand(reason, records, { fromMs, toMs }) {
  if (!PLAIN_REASON.test(reason)) return null;
  const seconds = (/** @type {number} */ ms) =>
    new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
  return [
    `deno task dead-letters replay --reason ${reason} --since ${seconds(fromMs)}`,
    ...toMs === null ? [] : [`--until ${seconds(toMs + 999)}`],
    `--limit ${records}`,
    ...reason === "timestamp_in_seconds" ? ["--set timestamp=seconds"] : [],
    "--dry-run",
  ].join(" ");
}

/** @param {string} command */
function commandLine(command) {
  const words = command.split(" ").flatMap((word) => [make("span", "", word), " "]);
  const code = make("code", "", ...words.slice(0, -1));
  const button = make("button", "", "Copy");
  button.type = "button";
  button.ariaLabel = "Copy the command";
  button.addEventListener("click", async () => {
    setText(button, await copy(code) ? "Copied" : "Selected");
    setTimeout(() => setText(button, "Copy"), COPIED_MS);
  });
  return make("div", "command", code, button);
}

/**
 * Only pages of a secure address may write to the clipboard; on others the text is selected.
 * @param {HTMLElement} code
 */
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
