/**
 * The worker's web server: its page, API, metrics and health. Read only.
 * @module
 */

import type { ViewChoice, WindowView } from "../../core/views/window_view.ts";
import type { Metrics } from "../metrics.ts";
import type { CountRow, CountsQuery, LotterySearch } from "../postgres/queries/counts.ts";
import type { LetterPreview } from "../postgres/queries/newest_dead_letters.ts";
import { countsJson, HEAD_BYTES, lettersJson, lotteriesJson, statusJson, viewJson } from "./api.ts";
import { asset } from "./assets.ts";
import { Live } from "./live.ts";
import { countsQuery, deadLettersLimit, lotterySearch, noParameters } from "./parameters.ts";
import type { PipelineStatus } from "./pipeline_status.ts";
import { errorResponse, json, RequestError, text } from "./responses.ts";
import { isForLoopback } from "./server/hosts.ts";
import { viewChoice } from "./view_choice.ts";

export interface HandlerSources {
  /** Null when the worker is ready, else why not. */
  readonly readinessProblem: () => string | null;
  readonly metrics: Metrics;
  readonly status: () => Promise<PipelineStatus>;
  readonly view: (choice: ViewChoice) => Promise<WindowView | null>;
  readonly counts: (query: CountsQuery) => Promise<readonly CountRow[]>;
  readonly lotteries: (search: LotterySearch) => Promise<readonly string[]>;
  readonly letters: (
    limits: { readonly limit: number; readonly headBytes: number },
  ) => Promise<readonly LetterPreview[]>;
  /** Only this machine can reach the server: requests for other names are refused. */
  readonly isLoopback: boolean;
  /** Time between two updates of open pages. */
  readonly tickMs?: number;
}

/** They share one connection, and their results take time that counting needs. */
const MAX_CONCURRENT_QUERIES = 8;

/** Needs no port, so that a test can call it. Disposing it ends the streams. */
export class Handler implements Disposable {
  readonly #sources: HandlerSources;
  readonly #live: Live;
  #runningQueries = 0;

  constructor(sources: HandlerSources) {
    this.#sources = sources;
    this.#live = new Live({
      status: async () => statusJson(await sources.status()),
      view: async (choice) => viewJson(await sources.view(choice)),
      ...sources.tickMs !== undefined && { tickMs: sources.tickMs },
    });
  }

  readonly handle = async (request: Request): Promise<Response> => {
    try {
      return await this.#answer(request);
    } catch (error) {
      return errorResponse(error);
    }
  };

  [Symbol.dispose](): void {
    this.#live[Symbol.dispose]();
  }

  #readyz(): Response {
    const problem = this.#sources.readinessProblem();
    return problem === null ? text("ok") : text(problem, { status: 503 });
  }

  async #answer(request: Request): Promise<Response> {
    const { metrics, isLoopback } = this.#sources;
    if (isLoopback && !isForLoopback(request)) {
      throw new RequestError(
        "This server accepts requests for localhost only. See HTTP_HOST.",
        { status: 421 },
      );
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new RequestError("Only GET and HEAD are allowed.", {
        status: 405,
        headers: { allow: "GET, HEAD" },
      });
    }
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/metrics":
        return text(await metrics.text(), { headers: { "content-type": metrics.contentType } });
      case "/healthz":
        return text("ok");
      case "/readyz":
        return this.#readyz();
      case "/live":
        return request.method === "HEAD" ? text("") : this.#live.open(viewChoice(searchParams));
      case "/api/aggregates":
        return await this.#aggregates(searchParams);
      case "/api/status":
        noParameters(searchParams);
        return json(statusJson(await this.#sources.status()));
      case "/api/lotteries":
        return await this.#lotteries(searchParams);
      case "/api/dead-letters":
        return await this.#deadLetters(searchParams);
    }
    const file = asset(pathname, request);
    if (file) return file;
    throw new RequestError(`Not found: ${pathname}`, { status: 404 });
  }

  async #aggregates(parameters: URLSearchParams): Promise<Response> {
    const query = countsQuery(parameters, Date.now());
    const rows = await this.#read(() => this.#sources.counts({ ...query, limit: query.limit + 1 }));
    return json(countsJson(query, rows));
  }

  async #lotteries(parameters: URLSearchParams): Promise<Response> {
    const search = lotterySearch(parameters);
    const { limit } = search;
    const names = await this.#read(() => this.#sources.lotteries({ ...search, limit: limit + 1 }));
    return json(lotteriesJson(search, names));
  }

  async #deadLetters(parameters: URLSearchParams): Promise<Response> {
    const limit = deadLettersLimit(parameters);
    return json(lettersJson(
      await this.#read(() => this.#sources.letters({ limit, headBytes: HEAD_BYTES })),
    ));
  }

  /**
   * Reads from the database, unless too many requests do already.
   * @throws {RequestError} if it cannot be read. The reason is logged elsewhere: the worker needs the
   * database too.
   */
  async #read<T>(query: () => Promise<T>): Promise<T> {
    if (this.#runningQueries >= MAX_CONCURRENT_QUERIES) {
      throw new RequestError("Too many requests at the same time. Try again later.", {
        status: 503,
      });
    }
    this.#runningQueries++;
    try {
      return await query();
    } catch (error) {
      throw new RequestError("PostgreSQL does not answer. Try again later.", {
        status: 503,
        cause: error,
      });
    } finally {
      this.#runningQueries--;
    }
  }
}
