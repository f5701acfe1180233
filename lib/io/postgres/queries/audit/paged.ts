/**
 * Reads the rows of a query that may be large.
 * @module
 */

import type { Connection, Query, Row } from "../../session/connection.ts";

const PAGE_ROWS = 10_000;

/** What the queries of an audit are sent with. */
export type Reader = Pick<Connection, "query">;

/** A page at a time; within a transaction, and one such query after the other. */
export async function* paged<T extends Row>(
  connection: Reader,
  query: Query,
): AsyncGenerator<T> {
  await connection.query({ ...query, text: `declare page no scroll cursor for ${query.text}` });
  for (;;) {
    const rows = await connection.query<T>({ text: `fetch ${PAGE_ROWS} from page` });
    if (rows.length === 0) break;
    yield* rows;
  }
  await connection.query({ text: "close page" });
}
