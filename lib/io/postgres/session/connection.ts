/**
 * One PostgreSQL connection that is replaced when it breaks.
 * @module
 */

import { UnavailableError } from "../../../core/failure.ts";
import { redacted } from "../../../core/settings/database_url.ts";
import { isConnectionError, type Query, type Row } from "./client.ts";
import { explainStatementError, sqlStateOf } from "./errors.ts";
import { refusal } from "./refusals.ts";
import { openSession, type Session } from "./session.ts";

export type { Query, Row } from "./client.ts";

/** SQLSTATE of what a server that only reads says to a write. */
const READ_ONLY = "25006";

/** How a connection is used. */
export interface ConnectionOptions {
  /** Time after which an unused session is closed; without it, it is kept. */
  readonly idleMs?: number;
}

/**
 * A connection to one database. It is opened by the first query, and again by the
 * first query after it broke. Queries that are sent together run one after the other.
 */
export class Connection implements AsyncDisposable {
  readonly #url: string;
  readonly #name: string;
  readonly #idleMs: number | undefined;
  #session: Promise<Session> | null = null;
  #queries = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** @param name what the server calls its session. */
  constructor(
    url: string,
    name = "lottery-events-pipeline",
    { idleMs }: ConnectionOptions = {},
  ) {
    this.#url = url;
    this.#name = name;
    this.#idleMs = idleMs;
  }

  /**
   * @throws {OperatorError} if the database refuses us or what we ask, with what to change.
   * @throws {UnavailableError} if the connection is lost, when it is unknown whether the query
   * ran; or if nothing can be written.
   * @throws {pg.DatabaseError} for everything else that the database says.
   */
  async query<T extends Row>(query: Query): Promise<T[]> {
    this.#queries++;
    clearTimeout(this.#idle);
    try {
      return await this.#query(query);
    } finally {
      this.#queries--;
      this.#closeWhenIdle();
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

  /** @throws {UnavailableError} if nothing can be written, with what to change. */
  async assertWritable(): Promise<void> {
    const session = await this.#opened();
    if (session.readOnly === null) return;
    await this.#discard(session);
    throw new UnavailableError(session.readOnly);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    const opening = this.#session;
    this.#session = null;
    const session = await opening?.catch(() => null);
    await session?.client.close();
  }

  async #query<T extends Row>(query: Query): Promise<T[]> {
    const session = await this.#opened();
    try {
      return await session.client.query<T>(query);
    } catch (error) {
      const isReadOnly = sqlStateOf(error) === READ_ONLY;
      if (!isReadOnly && !isConnectionError(error)) throw explainStatementError(error);
      // A read-only one too: the next session may have another server, or other settings.
      await this.#discard(session);
      const where = redacted(this.#url);
      throw new UnavailableError(
        isReadOnly
          ? session.readOnly ?? `PostgreSQL at ${where} is read-only`
          : `Cannot reach PostgreSQL: the connection to ${where} is lost`,
        { cause: error },
      );
    }
  }

  #opened(): Promise<Session> {
    const where = redacted(this.#url);
    this.#session ??= openSession(this.#url, { name: this.#name, where }).catch((error) => {
      this.#session = null;
      throw refusal(error, where);
    });
    return this.#session;
  }

  async #discard(session: Session): Promise<void> {
    if (await this.#session?.catch(() => null) !== session) return;
    this.#session = null;
    void session.client.close();
  }

  #closeWhenIdle(): void {
    if (this.#idleMs === undefined || this.#queries > 0) return;
    this.#idle = setTimeout(() => void this[Symbol.asyncDispose](), this.#idleMs);
  }
}
