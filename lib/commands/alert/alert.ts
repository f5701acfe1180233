/**
 * `alert`: one mail, for the hook of a supervisor that found a worker dead.
 * @module
 */

import { type Alert, composeMail } from "../../core/alert.ts";
import { OperatorError } from "../../core/failure.ts";
import type { Config } from "../../core/settings/config.ts";
import { redacted } from "../../core/settings/database_url.ts";
import { sendMail } from "../../io/smtp.ts";

/**
 * Mails `text` to the addresses of `ALERT_TO`.
 * @returns what the mail server answered.
 * @throws {OperatorError} if no mail server is set.
 */
export async function alert(config: Config, text: string): Promise<string> {
  return await mailByHand(config, {
    title: text,
    doing: "Unknown: this mail was sent by a command, not by a worker.",
    advice: "Find out why it was sent.",
  });
}

/** Mails a test. @returns what the mail server answered. */
export async function testMail(config: Config): Promise<string> {
  return await mailByHand(config, {
    title: "This is a test mail",
    doing: "Nothing: `doctor --mail` sent this.",
    advice: "Nothing. Failures of the pipeline will be mailed to this address.",
  });
}

async function mailByHand(
  { kafka, databaseUrl, smtp }: Config,
  parts: Pick<Alert, "title" | "doing" | "advice">,
): Promise<string> {
  if (!smtp) throw new OperatorError("Cannot send a mail: SMTP_HOST is not set.");
  const nowMs = Date.now();
  const mail = composeMail(
    { cause: "by_hand", sinceMs: nowMs, ...parts },
    {
      host: Deno.hostname(),
      groupId: kafka.groupId,
      topic: kafka.topic,
      brokers: kafka.brokers,
      database: redacted(databaseUrl),
      partitions: [],
      lastCommitMs: null,
    },
    { nowMs, repeats: 0 },
  );
  return await sendMail(smtp, mail);
}
