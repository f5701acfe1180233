/**
 * Which event types are switched on.
 * @module
 */

/**
 * By place; the last is that of all others.
 * @param {readonly string[]} eventTypes
 * @param {Pick<import("./address.js").Choice, "off" | "isOthersOff">} choice
 */
export function shownTypes(eventTypes, { off, isOthersOff }) {
  return [...eventTypes.map((type) => !off.includes(type)), !isOthersOff];
}
