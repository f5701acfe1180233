/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page's elements. Whatever comes from outside becomes text, never markup.
 * @module
 */

/**
 * An element that the page has.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any} by its selector of whatever kind the caller knows it to be
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`There is no ${selector}`);
  return element;
}

/**
 * Makes an element with its class, and with texts and elements in it.
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} children
 * @returns {any}
 */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * Sets a text only if it is another: what is selected or read aloud stays as it is.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
