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
  const detail = isUnknown ? `until ${source.name} answers` : "records waiting, all partitions";
  setValue("lag", isUnknown ? "unknown" : records);
  setDetail("lag", detail);
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

/**
 * @param {Status} status
 * @param {number} nowMs
 */
export function showStates(status, nowMs) {
  const { all_workers: all, this_worker: worker, source, postgresql } = status;
  const { last_commit_at: commit } = worker;
  const commitText = commit === null ? "" : ` · last commit ${age(nowMs - Date.parse(commit))} ago`;
  setText(find("#state-source h2"), source.name);
  setState("source", source.state, systemText(source, nowMs));
  setState("postgresql", postgresql.state, systemText(postgresql, nowMs) + commitText);
  const isDown = source.state === "down";
  setState(
    "worker",
    isDown ? "unknown" : "up",
    [
      isDown ? `waiting for ${source.name}` : readingOf(status),
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

/** @param {{ state: string, since: string }} system @param {number} nowMs */
function systemText({ state, since }, nowMs) {
  if (state === "unknown") return "not checked yet";
  return state === "down" ? `down for ${age(nowMs - Date.parse(since))}` : "up";
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
  const watermarkMs = Date.parse(all.watermark ?? all.current_window);
  const openFromMs = Math.min(Date.parse(all.closed_up_to ?? all.current_window), startMs);
  const committedMs = Math.max(...all.partitions.map((each) => Date.parse(each.committed_at)));
  const isIdle = nowMs - committedMs > IDLE_MS && all.lag_records === 0;
  const open = `${clock(openFromMs, sizeMs)} – ${clock(startMs + sizeMs, sizeMs)}`;
  const current = openFromMs === startMs ? "" : ` · current ${clock(startMs, sizeMs)}`;
  if (source.state === "down") {
    setState("window", "unknown", `${open} · open until ${source.name} answers`);
  } else if (isIdle) setState("window", "unknown", `${open} · open until more events arrive`);
  else setState("window", "up", `${open}${current}`);
  progress.value = Math.max(0, Math.min(1, (watermarkMs - startMs) / sizeMs));
}

/** @param {string} name @param {string} state @param {string} text */
function setState(name, state, text) {
  const place = find(`#state-${name}`);
  place.dataset.state = state;
  setText(find("p", place), text);
}
