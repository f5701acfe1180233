/**
 * Requests to the worker's JSON API.
 * @module
 */

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 * @throws {Error} with the reason, as the user may read it
 */
export async function getJson(path, options) {
  const response = await fetch(path, options).catch(() => null);
  if (!response) throw new Error("The worker does not answer.");
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}
