/**
 * `doctor`: checks everything that `start` needs, changes nothing, and reports every result.
 * @module
 */

import type { Origin } from "../../core/offsets/origin.ts";
import type { Config, SmtpConfig } from "../../core/settings/config.ts";
import { redacted } from "../../core/settings/database_url.ts";
import { claimOf, comparePipeline } from "../../io/postgres/identity.ts";
import { assertUsable, isMigrated } from "../../io/postgres/schema/migrate.ts";
import { Connection } from "../../io/postgres/session/connection.ts";
import { verifySmtp } from "../../io/smtp.ts";
import { testMail } from "../alert/alert.ts";
import { type Finding, finding } from "./finding.ts";
import { checkKafka } from "./kafka.ts";

export interface DoctorOptions {
  readonly sendsMail: boolean;
}

/** Runs the checks one after the other, and reports each cause once; a failed check does not throw. */
export async function* doctor(
  config: Config,
  { sendsMail }: DoctorOptions,
): AsyncGenerator<Finding> {
  const origin = yield* checkKafka(config);
  const postgres = await finding(
    `PostgreSQL ${redacted(config.databaseUrl)}`,
    () => checkPostgres(config),
  );
  yield postgres;
  if (postgres.isGood && origin) {
    yield await finding("Counts", () => checkCounts(config, origin));
  }
  const smtp = await finding("SMTP", () => checkSmtp(config.smtp));
  yield smtp;
  if (sendsMail && smtp.isGood) {
    yield await finding("Test mail", async () => `the server answered: ${await testMail(config)}`);
  }
}

async function checkPostgres(config: Config): Promise<string> {
  await using connection = new Connection(config.databaseUrl);
  return await assertUsable(connection);
}

/** Whether the counts that are in the database were made with these settings. */
async function checkCounts(config: Config, origin: Origin): Promise<string> {
  await using connection = new Connection(config.databaseUrl);
  if (!await isMigrated(connection)) return "none yet";
  return await comparePipeline(connection, claimOf(config, origin)) === null
    ? "none yet"
    : "made with the same settings";
}

async function checkSmtp(smtp: SmtpConfig | undefined): Promise<string> {
  if (!smtp) return "SMTP_HOST is not set: no mail is sent";
  await verifySmtp(smtp);
  return `${smtp.host}:${smtp.port} answers`;
}
