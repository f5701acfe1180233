/**
 * Errors of a Unix socket.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";

/** An error that names what to change if the socket may not be used; null for any other error. */
export function explainSocket(error: unknown): OperatorError | null {
  if (!(error instanceof Error)) return null;
  const [, path] = error.message.match(/"(?:unix:)?(\/[^"]+)"/) ?? [];
  if (error instanceof Deno.errors.NotCapable && path !== undefined) {
    return new OperatorError(
      `Cannot open PostgreSQL's socket ${path}: Deno was started without permission to write to it. ` +
        `Add --allow-write=${path} to the flags of deno run, or of deno task compile`,
      { cause: error },
    );
  }
  const { code, address } = error as Error & {
    readonly code?: unknown;
    readonly address?: unknown;
  };
  if (code !== "EACCES" || !String(address).startsWith("/")) return null;
  return new OperatorError(
    `Cannot open PostgreSQL's socket ${address}: the user that runs this program may not write to it. ` +
      "Use one that may, or see unix_socket_permissions of the server",
    { cause: error },
  );
}
