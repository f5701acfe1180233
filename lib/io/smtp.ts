/**
 * The mail server.
 * @module
 */

import { createTransport } from "nodemailer";
import type { SmtpConfig } from "../core/config.ts";
import { UnavailableError } from "../core/failure.ts";

const TIMEOUT_MS = 5_000;

/**
 * Connects, and logs in if the settings say so; sends nothing.
 * @throws {UnavailableError} with what the server said.
 */
export async function verifySmtp(
  { host, port, isSecure, username, password }: SmtpConfig,
): Promise<void> {
  const transport = createTransport({
    host,
    port,
    secure: isSecure,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    ...(username !== undefined && { auth: { user: username, pass: password ?? "" } }),
  });
  try {
    await transport.verify();
  } catch (error) {
    throw new UnavailableError(
      `Cannot use the mail server ${host}:${port}. Check SMTP_HOST, SMTP_PORT, SMTP_SECURE, SMTP_USERNAME and SMTP_PASSWORD`,
      { cause: error },
    );
  } finally {
    transport.close();
  }
}
