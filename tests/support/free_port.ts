/**
 * Ports for servers that bind them later, and ports where nobody is to listen.
 * @module
 */

import { join } from "node:path";
import { RUN_DIRECTORY } from "./shared_server.ts";

/** Below those that kernels give to connections, and to whoever listens at port 0. */
const FIRST_PORT = 10_000;
const PORTS = 22_000;

/** A directory for each port that a file of this run was given: making one succeeds only once. */
const CLAIMS = join(RUN_DIRECTORY, "ports");
const claimed: string[] = [];

/** A free port, which no other test of this run is given. */
export function freePort(): number {
  Deno.mkdirSync(CLAIMS, { recursive: true });
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (claim(port) && isFree(port)) return port;
  }
}

function claim(port: number): boolean {
  const directory = join(CLAIMS, String(port));
  try {
    Deno.mkdirSync(directory);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  if (claimed.length === 0) addEventListener("unload", releaseAll);
  claimed.push(directory);
  return true;
}

function isFree(port: number): boolean {
  try {
    using _listener = Deno.listen({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

function releaseAll(): void {
  for (const directory of claimed) Deno.removeSync(directory);
  for (const directory of [CLAIMS, RUN_DIRECTORY]) {
    try {
      Deno.removeSync(directory);
    } catch {
      return; // other files still use it
    }
  }
}
