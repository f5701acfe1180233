/**
 * The web server's handler with nothing behind it, for tests of what it answers.
 */

import { Handler, type HandlerSources } from "../../lib/io/http/handler.ts";
import { type DemoStatus, StatusBoard } from "../../lib/io/http/pipeline_status.ts";
import { Metrics } from "../../lib/io/metrics.ts";
import type { Overview } from "../../lib/io/postgres/queries/overview.ts";
import { readinessProblem } from "../../lib/observers/readiness.ts";
import { WorkerState } from "../../lib/observers/worker_state.ts";

export interface AnsweringOptions extends Partial<HandlerSources> {
  readonly state?: WorkerState;
  readonly overview?: () => Promise<Overview | null>;
  readonly demo?: () => DemoStatus;
}

export interface Answering extends Disposable {
  readonly state: WorkerState;
  readonly metrics: Metrics;
  readonly board: StatusBoard;
  readonly handle: (request: Request) => Promise<Response>;
  readonly get: (path: string) => Promise<Response>;
}

/** Sources that are not given answer as before the first event. */
export function answering(
  {
    state = new WorkerState(),
    overview: readOverview = () => Promise.resolve(null),
    demo,
    ...sources
  }: AnsweringOptions = {},
): Answering {
  const metrics = new Metrics({ topic: "user-events", state });
  const board = new StatusBoard({
    topic: "user-events",
    groupId: "lottery-aggregates",
    workerId: "lottery-worker-1",
    state,
    demo,
    readOverview,
  });
  const handler = new Handler({
    readinessProblem: () => readinessProblem(state),
    metrics,
    status: () => board.read(),
    view: () => Promise.resolve(null),
    counts: () => Promise.resolve({ rows: [], next: null, keptFromMs: null }),
    lotteries: () => Promise.resolve([]),
    expected: () => Promise.resolve({ isClosed: false, isTruncated: false, rows: [] }),
    totals: () =>
      Promise.resolve({
        eventTypes: [],
        lotteryNames: [],
        otherLotteries: 0,
        totals: [[0]],
        totalsWeekAgo: null,
        isClosed: false,
        isWhole: true,
      }),
    letters: () => Promise.resolve([]),
    reasons: () => Promise.resolve({ bars: [], totals: [] }),
    windowMs: 60_000,
    isLoopback: true,
    ...sources,
  });
  return {
    state,
    metrics,
    board,
    handle: handler.handle,
    get: (path) => handler.handle(new Request(`http://localhost${path}`)),
    [Symbol.dispose]: () => handler[Symbol.dispose](),
  };
}
