/**
 * What whoever looks at the page has to know first, in sentences.
 * @module
 */

import { quoted, RANGES } from "./address.js";
import { find, make } from "./dom.js";
import { whole } from "./format.js";

/** @typedef {import("../core/window_view.ts").ViewChoice} ViewChoice */
/** @typedef {import("../core/window_view.ts").WindowView} WindowView */
/** @typedef {import("../io/http/api.ts").StatusJson} Status */

/**
 * @typedef {object} Notice
 * @property {boolean} isBad
 * @property {string} text
 */

/**
 * A partition that no worker of this pipeline counts.
 * @typedef {object} Uncounted
 * @property {number} partition
 * @property {string | null} [held_by] who has it in the consumer group
 */

/**
 * @typedef {object} Situation
 * @property {import("./stream.js").Connection} connection
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

const MAX_PARTITIONS = 10;

/** @param {Status} status */
function uncounted({ all_workers: all }) {
  const { uncounted = [] } = /** @type {{ uncounted?: readonly Uncounted[] }} */ (all ?? {});
  if (uncounted.length === 0) return [];
  const names = uncounted.slice(0, MAX_PARTITIONS).map(({ partition, held_by }) =>
    held_by ? `${partition} (held by ${quoted(held_by)})` : String(partition)
  );
  const subject = uncounted.length === 1
    ? "A partition is"
    : `${whole(uncounted.length)} partitions are`;
  const more = uncounted.length > names.length ? ", …" : "";
  return [bad(`${subject} not counted by any worker: ${names.join(", ")}${more}.`)];
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
