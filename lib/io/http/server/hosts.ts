/**
 * Whom a request was meant for. A server that only this machine can reach is reached by any
 * page in its browsers all the same, under a name that its owner has pointed here (DNS rebinding).
 * @module
 */

/** True if only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** True if the request names this machine, with any port: in its address and in its `Host` header. */
export function isForLoopback({ url, headers }: Request): boolean {
  const host = headers.get("host");
  return isLoopback(new URL(url).hostname) &&
    (host === null || isLoopback(host.toLowerCase().replace(/:\d*$/, "")));
}
