/**
 * The page's subtitle: the topic, or what the demo generates.
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
  if (demo.speed === null) return "events from a file";
  const { speed, jackpot, chaos } = demo;
  return [
    "generated events",
    ...speed === 1 ? [] : [`event time runs at ${speed}× speed`],
    ...jackpot ? [`${jackpot.millions} million jackpot at ${visible(jackpot.lottery_name)}`] : [],
    ...chaos ? [chaosText(chaos)] : [],
  ].join(", ");
}

/** @param {NonNullable<NonNullable<Status["demo"]>["chaos"]>} chaos */
function chaosText({ survived, of }) {
  if (survived === 0) return "faults begin";
  const faults = survived === 1 ? "fault" : "faults";
  return `${survived}${of === null ? "" : ` of ${of}`} ${faults} survived, all rows agree`;
}
