/**
 * What the last audit has found, as a badge that opens.
 * @module
 */

import { find, make, setText } from "../dom.js";
import { age, duration, visible, whole } from "../format.js";
import { spanText, timeText } from "../times.js";

/** @typedef {NonNullable<import("../../api.ts").StatusJson["audit"]>} Audit */

/**
 * @param {Audit | null} audit
 * @param {number} nowMs the server's clock
 */
export function showAudit(audit, nowMs) {
  const place = find("#audit");
  place.hidden = audit === null;
  if (audit === null) return;
  const { state, text } = badgeOf(audit, nowMs);
  place.dataset.state = state;
  setText(find("summary span", place), text);
  const key = JSON.stringify(audit);
  if (place.dataset.key === key) return; // an opened list can be read and copied
  place.dataset.key = key;
  setText(find("p", place), aboutText(audit));
  const { wrong, first_wrong: first } = audit;
  const rest = audit.verdict === "wrong" ? wrong - first.length : 0;
  find("ul", place).replaceChildren(
    ...first.map((text) => make("li", "", visible(text))),
    ...rest > 0 ? [make("li", "muted", `and ${whole(rest)} more`)] : [],
  );
}

/**
 * @param {Audit} audit
 * @param {number} nowMs
 * @returns {{ state: "up" | "warn" | "down", text: string }}
 */
export function badgeOf(audit, nowMs) {
  // What Kafka no longer has cannot be proved by anyone: that is no fault.
  const isGood = /^(agrees|not provable)$/.test(audit.verdict) && !audit.is_overdue;
  const state = audit.verdict === "wrong" ? "down" : isGood ? "up" : "warn";
  const text = [
    verdictText(audit),
    `${age(nowMs - Date.parse(audit.at))} ago`,
    ...audit.is_overdue ? ["overdue: the next audits are missing"] : [],
  ].join(" · ");
  return { state, text };
}

/** @param {Audit} audit */
function verdictText({ verdict, rows, wrong, not_provable }) {
  const recounted = `${rowsOf(rows)} recounted`;
  switch (verdict) {
    case "agrees":
      return `${recounted}, all agree`;
    case "wrong":
      return `${whole(wrong)} wrong, ${rowsOf(rows)} ${rows === 1 ? "agrees" : "agree"}`;
    case "not provable":
      return `${recounted}, all agree, ${whole(not_provable)} not provable`;
    default:
      return `${recounted}, all agree, but a part of the topic is in no count`;
  }
}

/** What was recounted. @param {Audit} audit */
function aboutText({ at, from, to, records, seconds, verdict }) {
  const span = from !== null && to !== null
    ? `Events of ${spanText(Date.parse(from), Date.parse(to))}`
    : "Everything that can be proved";
  return [
    `${span}: ${whole(records)} records were read again in ${duration(seconds * 1_000)}, ` +
    `as the tables were at ${timeText(Date.parse(at))}.`,
    ...verdict === "not provable" ? ["Kafka no longer has the records of the others."] : [],
    ...verdict === "wrong" ? ["The tables do not match the topic:"] : [],
  ].join(" ");
}

/** @param {number} rows */
function rowsOf(rows) {
  return `${whole(rows)} ${rows === 1 ? "row" : "rows"}`;
}
