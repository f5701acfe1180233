/**
 * Errors of a Unix socket.
 * @module
 */

/** What to change, if the socket may not be used; else null. */
export function socketProblem(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const [, path] = error.message.match(/"(?:unix:)?(\/[^"]+)"/) ?? [];
  if (error instanceof Deno.errors.NotCapable && path !== undefined) {
    return `Cannot open PostgreSQL's socket ${path}: Deno was started without permission to write to it. ` +
      `Add --allow-write=${path} to the flags of deno run, or of deno task compile`;
  }
  const { code, address } = error as Error & {
    readonly code?: unknown;
    readonly address?: unknown;
  };
  if (code !== "EACCES" || !String(address).startsWith("/")) return null;
  return `Cannot open PostgreSQL's socket ${address}: the user that runs this program has no permission to write to it. ` +
    "Use another user, or change unix_socket_permissions on the server";
}
