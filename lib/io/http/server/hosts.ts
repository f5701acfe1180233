/**
 * Which host a request is meant for. Even a server on loopback can be reached by any web page in a
 * browser of this machine, under a name that resolves to 127.0.0.1 (DNS rebinding).
 * @module
 */

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Whether both the URL and the `Host` header name this machine; any port will do. */
export function isForLoopback({ url, headers }: Request): boolean {
  const host = headers.get("host");
  return isLoopback(new URL(url).hostname) &&
    (host === null || isLoopback(host.toLowerCase().replace(/:\d*$/, "")));
}
