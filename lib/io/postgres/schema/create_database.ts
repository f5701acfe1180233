/**
 * Creates the database itself, which needs another one to connect to.
 * @module
 */

import { OperatorError } from "../../../core/failure.ts";
import { parseDatabaseUrl, redacted } from "../../../core/settings/database_url.ts";
import { Connection } from "../session/connection.ts";
import { sqlStateOf } from "../session/errors.ts";

/** Databases that a server has, at least one of them. */
const MAINTENANCE = ["postgres", "template1"];

/** Creates the database of `url`, UTF-8, unless it exists. @returns whether it was created. */
export async function createDatabase(url: string): Promise<boolean> {
  if (await opens(url) === "open") return false;
  for (const name of MAINTENANCE) {
    const maintenanceUrl = Object.assign(parseDatabaseUrl(url)!, { pathname: `/${name}` }).href;
    if (await opens(maintenanceUrl) === "open") return await create(url, maintenanceUrl);
  }
  throw new OperatorError(
    `Cannot create the database of ${redacted(url)}: this requires a session in the database ` +
      `${
        MAINTENANCE.join(" or ")
      }, and the server allows none. Create it with your provider's tools`,
  );
}

/** SQLSTATEs of a database that does not exist, or takes no sessions (of this role). */
const CLOSED = /^(3D000|28000|42501|55000)$/;

/** @throws if it is for another reason that the database cannot be opened. */
async function opens(url: string): Promise<"open" | "closed"> {
  await using connection = new Connection(url);
  try {
    await connection.query({ text: "select" });
    return "open";
  } catch (error) {
    if (CLOSED.test(sqlStateOf(error) ?? "")) return "closed";
    throw error;
  }
}

async function create(url: string, maintenanceUrl: string): Promise<boolean> {
  await using connection = new Connection(maintenanceUrl);
  const name = decodeURIComponent(parseDatabaseUrl(url)!.pathname.slice(1));
  const quoted = `"${name.replaceAll('"', '""')}"`;
  try {
    await connection.query({
      text: `create database ${quoted} encoding 'UTF8' template template0`,
    });
  } catch (error) {
    // 42P04 and 23505: another one has created it in this moment.
    const code = sqlStateOf(error) ?? "";
    if (/^(42P04|23505)$/.test(code)) return false;
    if (code !== "42501") throw error;
    throw new OperatorError(
      `Cannot create the database of ${redacted(url)}: the role lacks the right. Grant it with ` +
        "`alter role … createdb`, or create it as another role",
      { cause: error },
    );
  }
  return true;
}
