/**
 * The worker's web server: its page, API, metrics and health. Read only.
 * @module
 */

import type { ViewChoice, WindowView } from "../../core/views/window_view.ts";
import type { Health } from "../../observers/health.ts";
import type { Metrics } from "../metrics.ts";
import type { CountRow, CountsQuery, LotterySearch } from "../postgres/queries/counts.ts";
import type { LetterPreview } from "../postgres/queries/newest_dead_letters.ts";
import { json, refusal, RequestError, text } from "./answers.ts";
import { countsJson, HEAD_BYTES, lettersJson, lotteriesJson, statusJson } from "./api.ts";
import { asset } from "./assets.ts";
import { Live } from "./live.ts";
import {
  countsQuery,
  deadLettersLimit,
  lotterySearch,
  noParameters,
  viewChoice,
} from "./parameters.ts";
import type { PipelineStatus } from "./pipeline_status.ts";
import { isForLoopback } from "./server/hosts.ts";

/** What the answers are made of. */
export interface AnswerSources {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly status: () => Promise<PipelineStatus>;
  readonly view: (choice: ViewChoice) => Promise<WindowView | null>;
  readonly counts: (query: CountsQuery) => Promise<readonly CountRow[]>;
  readonly lotteries: (search: LotterySearch) => Promise<readonly string[]>;
  readonly letters: (
    limits: { readonly limit: number; readonly headBytes: number },
  ) => Promise<readonly LetterPreview[]>;
  /** Only this machine can reach the server: other names than its own are refused. */
  readonly isLoopback: boolean;
  /** Time between two looks for those who look on. */
  readonly tickMs?: number;
}

/** They are answered one after the other, and what they give costs time that counting needs. */
const MAX_CONCURRENT_REQUESTS = 8;

/** Answers requests; needs no port, so that a test can call it. Disposing it ends the streams. */
export class Handler implements Disposable {
  readonly #sources: AnswerSources;
  readonly #live: Live;
  /** Questions to the database that are under way. */
  #questions = 0;

  constructor(sources: AnswerSources) {
    this.#sources = sources;
    this.#live = new Live({
      status: async () => statusJson(await sources.status()),
      view: sources.view,
      ...sources.tickMs !== undefined && { tickMs: sources.tickMs },
    });
  }

  /** Never rejects. */
  readonly handle = async (request: Request): Promise<Response> => {
    try {
      return await this.#answer(request);
    } catch (error) {
      return refusal(error);
    }
  };

  [Symbol.dispose](): void {
    this.#live[Symbol.dispose]();
  }

  async #answer(request: Request): Promise<Response> {
    const { health, metrics, isLoopback } = this.#sources;
    if (isLoopback && !isForLoopback(request)) {
      throw new RequestError(
        "This server answers to localhost only, and not to other names. See HTTP_HOST.",
        { status: 421 },
      );
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new RequestError("Only GET is allowed.", {
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
        return health.problem ? text(health.problem, { status: 503 }) : text("ok");
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
    throw new RequestError(`There is no ${pathname} here.`, { status: 404 });
  }

  async #aggregates(parameters: URLSearchParams): Promise<Response> {
    const query = countsQuery(parameters, Date.now());
    const rows = await this.#ask(() => this.#sources.counts({ ...query, limit: query.limit + 1 }));
    return json(countsJson(query, rows));
  }

  async #lotteries(parameters: URLSearchParams): Promise<Response> {
    const search = lotterySearch(parameters);
    const { limit } = search;
    const names = await this.#ask(() => this.#sources.lotteries({ ...search, limit: limit + 1 }));
    return json(lotteriesJson(search, names));
  }

  async #deadLetters(parameters: URLSearchParams): Promise<Response> {
    const limit = deadLettersLimit(parameters);
    return json(lettersJson(
      await this.#ask(() => this.#sources.letters({ limit, headBytes: HEAD_BYTES })),
    ));
  }

  /**
   * Asks the database, unless too many do already.
   * @throws {RequestError} if it cannot be read: whoever needs it more says why in the log.
   */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#questions >= MAX_CONCURRENT_REQUESTS) {
      throw new RequestError("Too much is asked at the same time. Try again later.", {
        status: 503,
      });
    }
    this.#questions++;
    try {
      return await question();
    } catch (error) {
      throw new RequestError("PostgreSQL does not answer. Try again later.", {
        status: 503,
        cause: error,
      });
    } finally {
      this.#questions--;
    }
  }
}
