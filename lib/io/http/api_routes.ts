/**
 * The routes of the API, and how much of the database they may take.
 * @module
 */

import type { CountsQuery } from "../postgres/queries/counts/query.ts";
import type { CountsPage } from "../postgres/queries/counts/counts.ts";
import type { Reasons, ReasonsQuery } from "../postgres/queries/dead_letter_reasons.ts";
import type { Expected, ExpectedQuery } from "../postgres/queries/counts/expected.ts";
import type { LotterySearch } from "../postgres/queries/lotteries.ts";
import type { LetterPreview } from "../postgres/queries/newest_dead_letters.ts";
import type { Totals, TotalsQuery } from "../postgres/queries/totals.ts";
import { sqlStateOf } from "../postgres/session/errors.ts";
import { HEAD_BYTES, lettersJson, lotteriesJson, statusJson } from "./api.ts";
import { csvHeaders, csvResponse, prefersCsv } from "./counts/csv.ts";
import { countsJson, expectedJson, reasonsJson, totalsJson } from "./counts/json.ts";
import { countsRequest, expectedQuery, reasonsQuery, totalsQuery } from "./counts/parameters.ts";
import { deadLettersLimit, lotterySearch, noParameters, UNKNOWN_ZONE } from "./parameters.ts";
import type { PipelineStatus } from "./pipeline_status.ts";
import { json, RequestError, respond } from "./responses.ts";

export interface ApiSources {
  readonly status: () => Promise<PipelineStatus>;
  readonly counts: (query: CountsQuery) => Promise<CountsPage>;
  readonly totals: (query: TotalsQuery) => Promise<Totals>;
  readonly expected: (query: ExpectedQuery) => Promise<Expected>;
  readonly lotteries: (search: LotterySearch) => Promise<readonly string[]>;
  readonly letters: (
    limits: { readonly limit: number; readonly headBytes: number },
  ) => Promise<readonly LetterPreview[]>;
  readonly reasons: (query: ReasonsQuery) => Promise<Reasons>;
  readonly windowMs: number;
}

/** They share one connection, and their results take time that counting needs. */
const MAX_CONCURRENT_QUERIES = 8;
const MAX_DOWNLOADS = 4;

/** PostgreSQL's `invalid_parameter_value`: it knows fewer zones than we do. */
const INVALID_VALUE = "22023";

/** Disposing it cuts off the downloads. */
export class Api implements Disposable {
  readonly #sources: ApiSources;
  #runningQueries = 0;
  #downloads = 0;
  readonly #ended = new AbortController();

  constructor(sources: ApiSources) {
    this.#sources = sources;
  }

  [Symbol.dispose](): void {
    this.#ended.abort(new Error("The worker is shutting down"));
  }

  /**
   * Null for an address that is none of the API's.
   * @throws {RequestError} if it cannot be answered.
   */
  async answer(request: Request): Promise<Response | null> {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/api/aggregates":
        return await this.#aggregates(request, searchParams);
      case "/api/totals":
        return await this.#totals(searchParams);
      case "/api/expected":
        return await this.#expected(searchParams);
      case "/api/status":
        noParameters(searchParams);
        return json(statusJson(await this.#sources.status()));
      case "/api/lotteries":
        return await this.#lotteries(searchParams);
      case "/api/dead-letters":
        return await this.#deadLetters(searchParams);
      case "/api/dead-letters/reasons":
        return await this.#reasons(searchParams);
      default:
        return null;
    }
  }

  async #aggregates(request: Request, parameters: URLSearchParams): Promise<Response> {
    const { windowMs, counts } = this.#sources;
    const { query, format } = countsRequest(parameters, { nowMs: Date.now(), windowMs });
    if (format === "csv" || format === null && prefersCsv(request.headers.get("accept"))) {
      return request.method === "HEAD"
        ? respond(null, { headers: csvHeaders(query) })
        : await this.#download(query);
    }
    return json(countsJson(query, await this.#read(() => counts(query))));
  }

  /** The first page is read before the answer begins, so that a failure has a status of its own. */
  async #download(query: CountsQuery): Promise<Response> {
    if (this.#downloads >= MAX_DOWNLOADS) {
      throw new RequestError(`${MAX_DOWNLOADS} downloads are already running. Try again later.`, {
        status: 503,
      });
    }
    this.#downloads++;
    const onEnd = () => void this.#downloads--;
    try {
      const firstPage = await this.#read(() => this.#sources.counts(query));
      const { signal } = this.#ended;
      return csvResponse({ query, firstPage, readPage: this.#sources.counts, onEnd, signal });
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  async #totals(parameters: URLSearchParams): Promise<Response> {
    const query = totalsQuery(parameters);
    return json(totalsJson(query, await this.#read(() => this.#sources.totals(query))));
  }

  async #expected(parameters: URLSearchParams): Promise<Response> {
    const query = expectedQuery(parameters);
    return json(expectedJson(query, await this.#read(() => this.#sources.expected(query))));
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

  async #reasons(parameters: URLSearchParams): Promise<Response> {
    const query = reasonsQuery(parameters, Date.now());
    return json(reasonsJson(query, await this.#read(() => this.#sources.reasons(query))));
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
      if (sqlStateOf(error) === INVALID_VALUE) throw new RequestError(UNKNOWN_ZONE);
      throw new RequestError("PostgreSQL does not answer. Try again later.", {
        status: 503,
        cause: error,
      });
    } finally {
      this.#runningQueries--;
    }
  }
}
