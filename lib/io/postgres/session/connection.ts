/**
 * One PostgreSQL connection that is replaced when it breaks.
 * @module
 */

import { UnavailableError } from "../../../core/failure.ts";
import { redacted } from "../../../core/settings/database_url.ts";
import type { Query, Row } from "./client.ts";
import { endsSession, explainStatementError } from "./errors.ts";
import { refusal } from "./refusals.ts";
import { openSession, type Session } from "./session.ts";

export type { Query, Row } from "./client.ts";

export interface ConnectionOptions {
  /** Time after which an unused session is closed; by default it is kept. */
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

  /** @param name the session's `application_name`. */
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
   * @throws {OperatorError} if the database refuses the session or the query, with what to change.
   * @throws {UnavailableError} if the connection is lost, when it is unknown whether the query
   * ran; or if nothing can be written.
   * @throws {StatementAbortedError} if the server gave up the query, for a reason that passes.
   * @throws {pg.DatabaseError} for any other error of the database; see `sqlStateOf`.
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
      await this.query({ text: "rollback" }).catch(() => {}); // the first error is the reason
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
      if (endsSession(error)) await this.#discard(session);
      const where = redacted(this.#url);
      throw explainStatementError(error, { where, readOnly: session.readOnly });
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
