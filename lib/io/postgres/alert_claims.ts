/**
 * Which worker mails about what, agreed on in the database.
 * @module
 */

import { delay } from "../../async/delay.ts";
import type { AlertClaims } from "../../observers/alerts.ts";
import type { Connection } from "./session/connection.ts";

/** How long to wait for the database before the worker decides alone. */
const MAX_WAIT_MS = 3_000;

/** A mail in the future is not recent: the database's clock was ahead when it was sent. */
const IS_RECENT = `
  a.mailed_at > now() - $2::bigint * interval '1 ms'
    and a.mailed_at < now() + $2::bigint * interval '1 ms'`;

/** Claims in the table `alerts`; without the database, `isFirst` decides. */
export class PostgresAlertClaims implements AlertClaims {
  readonly #connection: Connection;
  readonly #isFirst: () => boolean;
  /** When this worker last mailed without having asked. */
  readonly #mailedAt = new Map<string, number>();

  /** @param isFirst true for the one worker that mails while the database does not answer. */
  constructor(connection: Connection, isFirst: () => boolean) {
    this.#connection = connection;
    this.#isFirst = isFirst;
  }

  async claim(cause: string, intervalMs: number): Promise<number | null> {
    const asked = this.#ask(cause, intervalMs).catch(() => undefined);
    const answer = await Promise.race([asked, delay(MAX_WAIT_MS)]);
    return answer === undefined ? this.#decideAlone(cause, intervalMs) : answer;
  }

  async #ask(cause: string, intervalMs: number): Promise<number | null> {
    const [row] = await this.#connection.query<{ is_ours: boolean; repeats_before: number }>({
      text: `
        insert into alerts as a (cause, mailed_at)
        values ($1, now())
        on conflict (cause) do update set
          repeats_before = case when ${IS_RECENT} then a.repeats_before else a.repeats end,
          repeats = case when ${IS_RECENT} then a.repeats + 1 else 0 end,
          mailed_at = case when ${IS_RECENT} then a.mailed_at else now() end
        returning repeats = 0 as is_ours, repeats_before`,
      values: [cause, intervalMs],
    });
    return row!.is_ours ? row!.repeats_before : null;
  }

  #decideAlone(cause: string, intervalMs: number): number | null {
    const last = this.#mailedAt.get(cause) ?? -Infinity;
    if (!this.#isFirst() || performance.now() - last < intervalMs) return null;
    this.#mailedAt.set(cause, performance.now());
    return 0;
  }
}
