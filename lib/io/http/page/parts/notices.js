/**
 * What whoever looks at the page has to know first, in sentences.
 * @module
 */

import { quoted, RANGES } from "../address.js";
import { find, make } from "../dom.js";
import { visible } from "../format.js";

/** @typedef {import("../../../../core/views/window_view.ts").ViewChoice} ViewChoice */
/** @typedef {import("../../../../core/views/window_view.ts").WindowView} WindowView */
/** @typedef {import("../../api.ts").StatusJson} Status */

/**
 * @typedef {object} Notice
 * @property {boolean} isBad
 * @property {string} text
 */

/**
 * @typedef {object} Situation
 * @property {import("../stream.js").Connection} connection
 * @property {string | null} refusal why the server does not open the stream, if it says so
 * @property {Status | null} status
 * @property {WindowView | null | undefined} view undefined before the server has told
 * @property {ViewChoice} choice
 * @property {boolean | null} isLotteryKnown null if nobody has asked
 * @property {readonly string[]} problems what is wrong with the address
 */

/**
 * @param {Situation} situation
 * @returns {Notice[]}
 */
export function noticesOf({ connection, refusal, status, view, choice, isLotteryKnown, problems }) {
  const ofAddress = problems.map(bad);
  if (connection === "disconnected") {
    return [...ofAddress, bad(refusal ?? "The worker does not answer. This page waits for it.")];
  }
  return [
    ...ofAddress,
    ...status ? [...outages(status), ...uncounted(status)] : [],
    ...view === null ? [info("No events yet. Counts appear here with the first commit.")] : [],
    ...view ? absence(view, choice, isLotteryKnown) : [],
  ];
}

/** Systems that do not answer, as people call them. @param {Status} status */
export function awayOf({ source, postgresql }) {
  return [
    ...source.state === "down" ? [source.name] : [],
    ...postgresql.state === "down" ? ["PostgreSQL"] : [],
  ];
}

/** True if the lottery that is chosen has no events in the view. @param {WindowView} view @param {ViewChoice} choice */
export function isAbsent({ lotteryNames }, { lotteryName }) {
  return lotteryName !== null && !lotteryNames.includes(lotteryName);
}

/**
 * Shows them; those that have not changed are not read aloud again.
 * @param {readonly Notice[]} notices
 */
export function showNotices(notices) {
  const place = find("#notices");
  const key = JSON.stringify(notices);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.hidden = notices.length === 0;
  place.replaceChildren(
    ...notices.map(({ isBad, text }) => make("p", isBad ? "notice bad" : "notice", text)),
  );
}

/** @param {Status} status */
function outages(status) {
  return awayOf(status).map((name) =>
    bad(
      name === "PostgreSQL"
        ? "PostgreSQL does not answer. Nothing is lost: the worker waits, and commits what it holds when it is back."
        : `${name} does not answer. Nothing is lost: the worker waits, and continues where it stopped. Until then nothing new is counted, and lag is unknown.`,
    )
  );
}

/** What of the topic nobody counts, and what to do about it. @param {Status} status */
function uncounted({ all_workers: all }) {
  const problems = all?.problems ?? [];
  return problems.map((text) => bad(`${text.slice(0, 1).toUpperCase()}${visible(text.slice(1))}.`));
}

/**
 * @param {WindowView} view
 * @param {ViewChoice} choice
 * @param {boolean | null} isLotteryKnown
 */
function absence(view, choice, isLotteryKnown) {
  if (!isAbsent(view, choice)) return [];
  const name = quoted(choice.lotteryName ?? "");
  return isLotteryKnown === false
    ? [bad(`There is no lottery called ${name} in the latest counts.`)]
    : [info(`${name} has no events in the last ${RANGES[choice.range]}.`)];
}

/** @param {string} text @returns {Notice} */
function bad(text) {
  return { isBad: true, text };
}

/** @param {string} text @returns {Notice} */
function info(text) {
  return { isBad: false, text };
}
