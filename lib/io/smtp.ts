/**
 * The mail server.
 * @module
 */

import { createTransport, type Transporter } from "nodemailer";
import type { Mail } from "../core/alert.ts";
import { UnavailableError } from "../core/failure.ts";
import type { SmtpConfig } from "../core/settings/config.ts";

/** A server that is silent for this long counts as away. */
const TIMEOUT_MS = 10_000;

/**
 * Sends one mail to the addresses of `ALERT_TO`.
 * @returns the response of the server.
 * @throws {UnavailableError} with the reason, and the settings to check.
 */
export async function sendMail(smtp: SmtpConfig, mail: Mail): Promise<string> {
  return await withTransport(smtp, async (transport) => {
    // Each value is passed separately: nodemailer folds and encodes it, so none can start another header.
    const { response } = await transport.sendMail({ from: smtp.from, to: smtp.to, ...mail });
    return response ?? "accepted, without a response";
  });
}

/**
 * Connects, and logs in if the settings say so; sends nothing.
 * @throws {UnavailableError} with the reason, and the settings to check.
 */
export async function verifySmtp(smtp: SmtpConfig): Promise<void> {
  await withTransport(smtp, (transport) => transport.verify());
}

async function withTransport<T>(
  { host, port, isSecure, username, password }: SmtpConfig,
  action: (transport: Transporter) => Promise<T>,
): Promise<T> {
  const transport = createTransport({
    host,
    port,
    secure: isSecure,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(username !== undefined && { auth: { user: username, pass: password ?? "" } }),
  });
  try {
    return await action(transport);
  } catch (error) {
    throw new UnavailableError(
      `Cannot send mail through ${host}:${port}. Check SMTP_HOST, SMTP_PORT, SMTP_SECURE, SMTP_USERNAME and SMTP_PASSWORD`,
      { cause: error },
    );
  } finally {
    transport.close();
  }
}
