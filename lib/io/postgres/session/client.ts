/**
 * One connection of the driver.
 * @module
 */

// @ts-types="@types/pg"
import pg from "pg";
import { withTimeout } from "../../../async/delay.ts";
import { driverTls } from "./tls.ts";
import { getTypeParser } from "./values.ts";

/** Longer than any statement may take: beyond it, the connection hangs. */
const QUERY_TIMEOUT_MS = 25_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that hangs must not delay the exit. */
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

  /** @param name the session's `application_name`. */
  static async connect(url: string, name: string): Promise<Client> {
    const driver = new pg.Client({
      ...named(await driverTls(url), name),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      types: { getTypeParser },
    });
    driver.on("error", () => {}); // the current query rejects as well, or the next one does
    const client = new Client(driver);
    try {
      await driver.connect();
    } catch (error) {
      void client.close();
      throw error;
    }
    return client;
  }

  /** Process id of the other end: the server's, or one that a pooler makes up. */
  get processId(): number | null {
    return (this.#client as unknown as { readonly processID: number | null }).processID;
  }

  async query<T extends Row>({ text, values }: Query): Promise<T[]> {
    // Set per query, because a parameter of the URL would replace a limit of the connection.
    const { rows } = await this.#client.query<T>({
      text,
      query_timeout: QUERY_TIMEOUT_MS,
      ...(values && { values: [...values] }),
    } as pg.QueryConfig);
    return rows;
  }

  /** Ends the session, and cuts the connection if the server does not respond. */
  async close(): Promise<void> {
    await withTimeout(CLOSE_TIMEOUT_MS, this.#client.end());
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream
      .destroy();
  }
}

/** PostgreSQL truncates longer names, and shows ASCII only. */
const MAX_NAME_LENGTH = 63;

/** Puts the `application_name` of the URL in front of our own, which is kept whole. */
function named<T extends { readonly connectionString: string }>(options: T, name: string): T {
  const url = new URL(options.connectionString);
  const prefix = (url.searchParams.get("application_name") ?? "")
    .replaceAll(/[^ -~]/g, "?").slice(0, MAX_NAME_LENGTH - name.length - 1);
  url.searchParams.set("application_name", `${prefix} ${name}`.trim());
  return { ...options, connectionString: url.href };
}
