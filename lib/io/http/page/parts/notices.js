/**
 * Notices above the numbers: what is wrong, or what to wait for.
 * @module
 */

import { quoted, RANGES } from "../address.js";
import { find, make } from "../dom.js";
import { visible, whole } from "../format.js";

/** @typedef {import("../address.js").Choice} Choice */
/** @typedef {import("../../api.ts").StatusJson} Status */
/** @typedef {import("../../api.ts").ViewJson} View */

/**
 * @typedef {object} Notice
 * @property {boolean} isBad
 * @property {string} text
 */

/**
 * @typedef {object} PageState
 * @property {import("../stream.js").Connection} connection
 * @property {string | null} refusal why the server refuses the stream
 * @property {Status | null} status
 * @property {View | null | undefined} view undefined until the first update
 * @property {Pick<Choice, "range" | "lotteries">} choice
 * @property {ReadonlyMap<string, boolean>} known which lotteries exist, as far as it was asked
 * @property {readonly string[]} problems what is wrong with the address
 */

/**
 * @param {PageState} state
 * @returns {Notice[]}
 */
export function noticesOf({ connection, refusal, status, view, choice, known, problems }) {
  const addressProblems = problems.map(bad);
  if (connection === "disconnected") {
    return [
      ...addressProblems,
      bad(refusal ?? "The worker does not answer. This page keeps trying."),
    ];
  }
  return [
    ...addressProblems,
    ...status ? [...outages(status), ...uncounted(status), ...books(status)] : [],
    ...view === null ? [info("No events yet. Counts appear here with the first commit.")] : [],
    ...view ? absence(view, choice, known) : [],
  ];
}

/** Names of the systems that do not answer. @param {Status} status */
export function systemsDown({ source, postgresql }) {
  return [
    ...source.state === "down" ? [source.name] : [],
    ...postgresql.state === "down" ? ["PostgreSQL"] : [],
  ];
}

/** Chosen lotteries that the view has no events of. @param {View} view @param {Pick<Choice, "lotteries">} choice */
export function absentOf({ lottery_names }, { lotteries }) {
  return lotteries.filter((name) => !lottery_names.includes(name));
}

/**
 * Replaces them only when they change, so that a screen reader does not repeat them.
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
  return systemsDown(status).map((name) =>
    bad(
      name === "PostgreSQL"
        ? "PostgreSQL does not answer. Nothing is lost: the worker keeps trying, and commits as soon as it is back."
        : `${name} does not answer. Nothing is lost: the worker keeps trying, and resumes where it stopped. Until then nothing new is counted, and lag is unknown.`,
    )
  );
}

/** Partitions that no worker counts. @param {Status} status */
function uncounted({ all_workers: all }) {
  const problems = all?.problems ?? [];
  return problems.map((text) => bad(`${text.slice(0, 1).toUpperCase()}${visible(text.slice(1))}.`));
}

/** Whether the hours hold what was counted. @param {Status} status */
function books({ books_difference: difference }) {
  if (!difference) return [];
  const events = Math.abs(difference);
  return [
    bad(
      `The books do not balance: the hours have ${whole(events)} ${
        events === 1 ? "event" : "events"
      } ${
        difference > 0 ? "fewer" : "more"
      } than were counted. Run audit: it names the rows that are wrong.`,
    ),
  ];
}

/**
 * @param {View} view
 * @param {PageState["choice"]} choice
 * @param {PageState["known"]} known
 */
function absence(view, choice, known) {
  const where = typeof choice.range === "object"
    ? "in this range"
    : `in the last ${RANGES[choice.range]}`;
  return absentOf(view, choice).map((name) =>
    known.get(name) === false
      ? bad(`No lottery is named ${quoted(name)}.`)
      : info(`${quoted(name)} has no events ${where}.`)
  );
}

/** @param {string} text @returns {Notice} */
function bad(text) {
  return { isBad: true, text };
}

/** @param {string} text @returns {Notice} */
function info(text) {
  return { isBad: false, text };
}
