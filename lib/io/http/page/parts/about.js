/**
 * What the page is of: a topic, or a demo, which says so.
 * @module
 */

import { find, setText } from "../dom.js";
import { visible } from "../format.js";

/** @typedef {import("../../api.ts").StatusJson} Status */

/** @param {Status} status */
export function showAbout(status) {
  find("#demo").hidden = status.demo === null;
  setText(find("#about"), aboutText(status));
}

/** @param {Pick<Status, "demo" | "topic">} status */
export function aboutText({ demo, topic }) {
  if (demo === null) return `topic ${visible(topic)}`;
  if (demo.speed === null) return "events of a file";
  const { speed, jackpot } = demo;
  return [
    "generated events",
    ...speed === 1 ? [] : [`event time passes ${speed} times as fast`],
    ...jackpot
      ? [`jackpot of ${jackpot.millions} million at ${visible(jackpot.lottery_name)}`]
      : [],
  ].join(", ");
}
