/**
 * A worker's web server, with what it needs to know of the worker and of the database.
 * @module
 */

import type { Config } from "../core/settings/config.ts";
import { Handler } from "../io/http/handler.ts";
import type { StatusBoard } from "../io/http/pipeline_status.ts";
import { isLoopback } from "../io/http/server/hosts.ts";
import { listen, type WebServer } from "../io/http/server/listen.ts";
import type { Metrics } from "../io/metrics.ts";
import { readCounts } from "../io/postgres/queries/counts/counts.ts";
import { readReasons } from "../io/postgres/queries/dead_letter_reasons.ts";
import { readExpected } from "../io/postgres/queries/counts/expected.ts";
import { searchLotteries } from "../io/postgres/queries/lotteries.ts";
import { readLetters } from "../io/postgres/queries/newest_dead_letters.ts";
import { readOverview } from "../io/postgres/queries/overview.ts";
import { readTotals } from "../io/postgres/queries/totals.ts";
import { readWindowView } from "../io/postgres/queries/window_view.ts";
import type { Connection } from "../io/postgres/session/connection.ts";
import { readinessProblem } from "../observers/readiness.ts";
import type { WorkerState } from "../observers/worker_state.ts";

export interface WebServerOptions {
  readonly config: Config;
  /** For the page alone: commits do not wait for it. Closed with the server. */
  readonly connection: Connection;
  readonly state: WorkerState;
  readonly metrics: Metrics;
  readonly board: StatusBoard;
}

/** Starts serving; the database is not queried until a client asks. */
export function serve(
  { config, connection, state, metrics, board }: WebServerOptions,
): WebServer {
  const { httpHost: host, httpPort: port, kafka: { topic } } = config;
  const handler = new Handler({
    readinessProblem: () => readinessProblem(state),
    metrics,
    status: () => board.read(),
    view: async (choice) => {
      const now = await readOverview(connection, topic);
      return now && await readWindowView(connection, choice, now);
    },
    counts: (query) => readCounts(connection, query),
    lotteries: (search) => searchLotteries(connection, search),
    totals: (query) => readTotals(connection, query),
    expected: (query) => readExpected(connection, query),
    letters: (limits) => readLetters(connection, limits),
    reasons: (query) => readReasons(connection, query),
    windowMs: config.windowMs,
    isLoopback: isLoopback(host),
  });
  const server = listen(handler.handle, { host, port });
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose](); // its streams would hold the server up
      await server[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}
