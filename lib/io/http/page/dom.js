/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page's elements. Untrusted text stays text, it never becomes markup.
 * @module
 */

/**
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any} an element that exists, of the kind that the caller knows it to be
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`There is no ${selector}`);
  return element;
}

/**
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
 * Sets the text only if it has changed, so that selections and screen readers are not disturbed.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
