/**
 * The current numbers, and the state of the systems behind them.
 * @module
 */

import { smooth } from "../chart/smooth.js";
import { find, setText } from "../dom.js";
import { age, clock, durations, rate, whole } from "../format.js";

/** @typedef {import("../../api.ts").StatusJson} Status */

/**
 * @param {Status} status
 * @param {number} nowMs the server's clock
 */
export function showTiles(status, nowMs) {
  const { all_workers: all, this_worker: worker } = status;
  setText(find("#worker"), `this worker (${worker.id})`);
  setValue("rate", all?.events_per_second == null ? "–" : rate(all.events_per_second));
  setValue("events", all ? whole(all.events) : "–");
  showLag(status);
  setValue("letters", all ? whole(all.dead_letters) : "–");
  const { latency_ms: latency } = worker;
  setValue("latency", latency ? durations(latency.p50, latency.p99) : "–");
  showWatermark(status, nowMs);
  showSpark(worker.events_by_second);
}

/** @param {string} tile @param {string} text */
function setValue(tile, text) {
  const place = find(`#tile-${tile} .value`);
  setText(place, text);
  place.style.setProperty("--characters", String(text.length)); // long ones are set smaller
}

/** @param {string} tile @param {string} text */
function setDetail(tile, text) {
  setText(find(`#tile-${tile} .detail`), text);
}

/** @param {Status} status */
function showLag({ all_workers: all, source }) {
  const isUnknown = source.state === "down" && all?.lag_records == null;
  const records = all?.lag_records == null ? "–" : whole(all.lag_records);
  setValue("lag", isUnknown ? "unknown" : records);
  setDetail(
    "lag",
    isUnknown ? `until ${source.name} answers` : "records waiting, all partitions",
  );
}

/** @param {Status} status @param {number} nowMs */
function showWatermark({ all_workers: all }, nowMs) {
  if (!all?.watermark) {
    setValue("watermark", "–");
    setDetail("watermark", "not known yet");
    return;
  }
  const watermarkMs = Date.parse(all.watermark);
  const delayMs = nowMs - watermarkMs;
  setValue("watermark", delayMs < -1_000 ? `${age(-delayMs)} ahead` : `${age(delayMs)} behind`);
  setDetail("watermark", `all partitions are past ${clock(watermarkMs, 1_000)}`);
}

/** @param {readonly number[]} counts */
function showSpark(counts) {
  const rates = smooth(counts);
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, at) =>
    `${(at / (rates.length - 1) * 100).toFixed(2)},${(27 - rate / most * 25).toFixed(2)}`
  );
  find("#tile-rate .line").setAttribute("d", `M${points.join("L")}`);
  find("#tile-rate .area").setAttribute("d", `M0,28L${points.join("L")}L100,28Z`);
}

/** Without a commit for this long, and without lag, no events are arriving. */
const IDLE_MS = 60_000;

const SYSTEM_STATES = { up: "up", down: "down", unknown: "not checked yet" };

/**
 * @param {Status} status
 * @param {number} nowMs
 */
export function showStates(status, nowMs) {
  const { all_workers: all, this_worker: worker } = status;
  for (const name of /** @type {const} */ (["source", "postgresql"])) {
    const { state, since } = status[name];
    const text = SYSTEM_STATES[/** @type {keyof typeof SYSTEM_STATES} */ (state)];
    const sinceText = state === "down" ? ` for ${age(nowMs - Date.parse(since))}` : "";
    setState(name, state, text + sinceText + detailOf(name, status, nowMs));
  }
  setText(find("#state-source h2"), status.source.name);
  const isDown = status.source.state === "down";
  setState(
    "worker",
    isDown ? "unknown" : "up",
    [
      isDown ? `waiting for ${status.source.name}` : readingOf(status),
      `${whole(worker.late_events)} late`,
      `${whole(worker.fenced_commits)} fenced`,
      ...all && all.workers > 1 ? [`${all.workers} workers`] : [],
    ].join(" · "),
  );
  showWindowState(status, nowMs);
}

/** @param {Status} status */
function readingOf({ all_workers: all, this_worker: { partitions } }) {
  if (partitions === null) return "waiting for partitions";
  if (partitions.length === 0) return "on standby, no partitions";
  const total = Math.max(all?.partitions.length ?? 0, partitions.length);
  return `reading ${partitions.length} of ${total} partition${total === 1 ? "" : "s"}`;
}

/** @param {"source" | "postgresql"} name @param {Status} status @param {number} nowMs */
function detailOf(name, { this_worker: worker }, nowMs) {
  if (name === "source" || worker.last_commit_at === null) return "";
  return ` · last commit ${age(nowMs - Date.parse(worker.last_commit_at))} ago`;
}

/** @param {Status} status @param {number} nowMs */
function showWindowState({ all_workers: all, source }, nowMs) {
  const progress = find("#state-window progress");
  if (!all?.current_window) {
    setState("window", "unknown", "no events yet");
    progress.value = 0;
    return;
  }
  const sizeMs = all.window_seconds * 1_000;
  const startMs = Date.parse(all.current_window);
  const closedMs = all.closed_up_to === null ? null : Date.parse(all.closed_up_to);
  const watermarkMs = all.watermark === null ? startMs : Date.parse(all.watermark);
  const openFromMs = closedMs === null ? startMs : Math.min(closedMs, startMs);
  const committedMs = Math.max(...all.partitions.map((each) => Date.parse(each.committed_at)));
  const isIdle = nowMs - committedMs > IDLE_MS && all.lag_records === 0;
  const open = `${clock(openFromMs, sizeMs)} – ${clock(startMs + sizeMs, sizeMs)}`;
  const current = openFromMs === startMs ? "" : ` · current ${clock(startMs, sizeMs)}`;
  const isDown = source.state === "down";
  setState(
    "window",
    isDown || isIdle ? "unknown" : "up",
    isDown
      ? `${open} · open until ${source.name} answers`
      : isIdle
      ? `${open} · open until more events arrive`
      : `${open}${current}`,
  );
  progress.value = Math.max(0, Math.min(1, (watermarkMs - startMs) / sizeMs));
}

/** @param {string} name @param {string} state @param {string} text */
function setState(name, state, text) {
  const place = find(`#state-${name}`);
  place.dataset.state = state;
  setText(find("p", place), text);
}
