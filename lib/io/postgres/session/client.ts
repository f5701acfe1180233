/**
 * The driver: one connection of it, and what its errors say of the connection.
 * @module
 */

// @ts-types="@types/pg"
import pg from "pg";
import { withTimeout } from "../../../async/delay.ts";
import { isPassing } from "../../../core/failure.ts";
import { driverTls } from "./tls.ts";
import { getTypeParser } from "./values.ts";

/** Longer than any statement may take: then the connection hangs. */
const QUERY_TIMEOUT_MS = 25_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that hangs must not hold up its closing. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A row as the driver gives it: `bigint` columns are numbers, `timestamptz` ones are Dates. */
export type Row = Readonly<Record<string, unknown>>;

export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** One connection; useless after an error of the connection. */
export class Client {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** @param name what the server calls its session. */
  static async connect(url: string, name: string): Promise<Client> {
    const driver = new pg.Client({
      ...named(await driverTls(url), name),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      types: { getTypeParser },
    });
    driver.on("error", () => {}); // the query under way rejects as well, or the next one does
    const client = new Client(driver);
    try {
      await driver.connect();
    } catch (error) {
      void client.close();
      throw error;
    }
    return client;
  }

  /** The server's process, as the other end calls it; that of the pooler, if there is one. */
  get processId(): number | null {
    return (this.#client as unknown as { readonly processID: number | null }).processID;
  }

  async query<T extends Row>({ text, values }: Query): Promise<T[]> {
    // Its limit is not one of the connection, where a parameter of the URL would replace it.
    const { rows } = await this.#client.query<T>({
      text,
      query_timeout: QUERY_TIMEOUT_MS,
      ...(values && { values: [...values] }),
    } as pg.QueryConfig);
    return rows;
  }

  /** Says goodbye, and cuts the connection if nobody listens. */
  async close(): Promise<void> {
    await withTimeout(CLOSE_TIMEOUT_MS, this.#client.end());
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream
      .destroy();
  }
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

/** SQLSTATEs with which the server ends a session: connection, shutdown, and one that idled. */
const SESSION_END = /^(08...|57P0[1-5]|25P0[34])$/;

/**
 * True if the connection is gone, or the server about to end it. Not told by the
 * severity, which the server translates. The driver has no codes for its own part, only messages.
 */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return SESSION_END.test(error.code ?? "");
  if (isPassing(error)) return true;
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { readonly code?: unknown };
  return DRIVER_MESSAGES.test(error.message) ||
    /^(ERR_SSL_|ERR_STREAM_|EPROTO$|ENOENT$)/.test(String(code)); // the last: a socket's file
}

const DRIVER_MESSAGES =
  /^(Connection terminated|Query read timeout|timeout expired|Client has encountered|Client was closed|There was an error establishing an SSL)/;
