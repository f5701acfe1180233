/**
 * One PostgreSQL connection that is replaced when it breaks.
 * @module
 */

// @ts-types="@types/pg"
import pg from "pg";
import { atMost } from "../../condition.ts";
import { isPassing, OperatorError, UnavailableError } from "../../core/failure.ts";
import { driverTls, explainTls } from "./tls.ts";

/** Waiting for a lock ends before the statement does, and the statement before the client gives up. */
const LOCK_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 20_000;
const QUERY_TIMEOUT_MS = 25_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that hangs must not hold up who closes it. */
const CLOSE_TIMEOUT_MS = 1_000;

const INT8_OID = 20;

/** A row as the driver gives it: `bigint` columns are numbers, `timestamptz` ones are Dates. */
export type Row = Readonly<Record<string, unknown>>;

export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * A connection to one database. It is opened by the first query, and again by the
 * first query after it broke. Queries that are sent together run one after the other.
 */
export class Connection implements AsyncDisposable {
  readonly #url: string;
  readonly #name: string;
  #client: Promise<pg.Client> | null = null;

  /** @param name what the server calls its session. */
  constructor(url: string, name = "lottery-events-pipeline") {
    this.#url = url;
    this.#name = name;
  }

  /**
   * @throws {OperatorError} if the database refuses us, with the setting to change.
   * @throws {UnavailableError} if the connection is lost; whether the query ran is unknown then.
   * @throws {pg.DatabaseError} for everything else that the database says.
   */
  async query<T extends Row>({ text, values }: Query): Promise<T[]> {
    const client = await this.#connected();
    try {
      const { rows } = await client.query<T>({
        text,
        ...(values && { values: [...values] }),
      });
      return rows;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      await this.#discard(client);
      throw new UnavailableError(
        `Cannot reach PostgreSQL: the connection to ${redacted(this.#url)} is lost`,
        { cause: error },
      );
    }
  }

  /** Runs `action` between BEGIN and COMMIT. Nothing else may use the connection meanwhile. */
  async transaction<T>(action: () => Promise<T>): Promise<T> {
    await this.query({ text: "begin" });
    try {
      const result = await action();
      await this.query({ text: "commit" });
      return result;
    } catch (error) {
      await this.query({ text: "rollback" }).catch(() => {}); // the first error says what happened
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opening = this.#client;
    this.#client = null;
    const client = await opening?.catch(() => null);
    if (client) await close(client);
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= connect(this.#url, this.#name).catch((error) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #discard(client: pg.Client): Promise<void> {
    if (await this.#client?.catch(() => null) !== client) return;
    this.#client = null;
    void close(client);
  }
}

/** Says goodbye, and cuts the connection if nobody listens. */
async function close(client: pg.Client): Promise<void> {
  await atMost(CLOSE_TIMEOUT_MS, client.end());
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream
    .destroy();
}

async function connect(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...named(await driverTls(url), name),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS, // a host that died must not hold its locks
    keepAlive: true,
    types: { getTypeParser },
  });
  client.on("error", () => {}); // the query under way rejects as well, or the next one does
  try {
    await client.connect();
  } catch (error) {
    void close(client);
    throw refusal(error, url);
  }
  return client;
}

/** The longest name of a session; PostgreSQL cuts off what is beyond, and shows ASCII only. */
const MAX_NAME_LENGTH = 63;

/** What the URL calls its sessions stands before our name, which is kept whole. */
function named<T extends { readonly connectionString: string }>(options: T, name: string): T {
  const url = new URL(options.connectionString);
  const prefix = (url.searchParams.get("application_name") ?? "")
    .replaceAll(/[^ -~]/g, "?").slice(0, MAX_NAME_LENGTH - name.length - 1);
  url.searchParams.set("application_name", `${prefix} ${name}`.trim());
  return { ...options, connectionString: url.href };
}

/** The driver's parsers, but `bigint` as a number: all of ours are below 2^53. */
function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8_OID) return toSafeInteger;
  return format === "binary"
    ? pg.types.getTypeParser(oid, "binary") as (value: unknown) => unknown
    : pg.types.getTypeParser(oid, "text");
}

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`Cannot count exactly with ${text}`);
  return value;
}

/** SQLSTATEs with which the server ends a session: connection, shutdown, and a transaction that idled. */
const SESSION_END = /^(08...|57P0[1-5]|25P0[34])$/;

/**
 * True if the connection is gone, or the server about to end it. Not told by the
 * severity, which the server translates. The driver has no codes for its own part, only messages.
 */
function isConnectionError(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return SESSION_END.test(error.code ?? "");
  if (isPassing(error)) return true;
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { readonly code?: unknown };
  return DRIVER_MESSAGES.test(error.message) ||
    /^(ERR_SSL_|ERR_STREAM_|EPROTO$)/.test(String(code));
}

const DRIVER_MESSAGES =
  /^(Connection terminated|Query read timeout|timeout expired|Client has encountered|Client was closed|There was an error establishing an SSL)/;

/** What a refused or failed connection means, with the setting to change. */
function refusal(error: unknown, url: string): Error {
  const where = redacted(url);
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  const operator = (message: string) => new OperatorError(message, { cause: error });
  const byTls = explainTls(error, where);
  if (byTls) return byTls;
  if (code === "28P01") {
    return operator(
      `Cannot log in to PostgreSQL at ${where}: it refuses the user or password. Check DATABASE_URL`,
    );
  }
  if (code === "28000") {
    return operator(
      `Cannot log in to PostgreSQL at ${where}: it does not let this user in like this. ` +
        "Check its pg_hba.conf, and the user, sslmode and sslcert of DATABASE_URL",
    );
  }
  if (code === "3D000") {
    return operator(
      `Cannot open the database of ${where}: it does not exist. ` +
        "Create it with `migrate --create-database`, or name another in DATABASE_URL",
    );
  }
  if (code === "08P01") {
    return operator(
      `Cannot open a session with PostgreSQL at ${where}: it refuses the settings that a session begins with. ` +
        "A pooler in between has to let statement_timeout, lock_timeout and idle_in_transaction_session_timeout " +
        "through (PgBouncer: ignore_startup_parameters), or DATABASE_URL has to lead past it",
    );
  }
  if (error instanceof pg.DatabaseError ? isPassing(error) : isConnectionError(error)) {
    return new UnavailableError(
      `Cannot reach PostgreSQL at ${where}. Is it running, and is DATABASE_URL right?`,
      { cause: error },
    );
  }
  return operator(
    `Cannot connect to PostgreSQL at ${where}. Check the user, password and sslmode of DATABASE_URL`,
  );
}

/** A connection URL that can be shown: without the password. */
export function redacted(url: string): string {
  const { host, pathname, username } = new URL(url);
  return `${username ? `${username}@` : ""}${host}${pathname}`;
}
