/**
 * The worker's web server: its page, API, metrics and health. Read only.
 * @module
 */

import type { ViewChoice, WindowView } from "../../core/views/window_view.ts";
import type { Metrics } from "../metrics.ts";
import { statusJson, viewJson } from "./api.ts";
import { Api, type ApiSources } from "./api_routes.ts";
import { asset } from "./assets.ts";
import { Live } from "./live.ts";
import { errorResponse, RequestError, text } from "./responses.ts";
import { isForLoopback } from "./server/hosts.ts";
import { viewChoice } from "./view_choice.ts";

export interface HandlerSources extends ApiSources {
  /** Null when the worker is ready, else why not. */
  readonly readinessProblem: () => string | null;
  readonly metrics: Metrics;
  readonly view: (choice: ViewChoice) => Promise<WindowView | null>;
  /** Only this machine can reach the server: requests for other names are refused. */
  readonly isLoopback: boolean;
  /** Time between two updates of open pages. */
  readonly tickMs?: number;
}

/** Needs no port, so that a test can call it. Disposing it ends the streams. */
export class Handler implements Disposable {
  readonly #sources: HandlerSources;
  readonly #live: Live;
  readonly #api: Api;

  constructor(sources: HandlerSources) {
    this.#sources = sources;
    this.#api = new Api(sources);
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
    this.#api[Symbol.dispose]();
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
    }
    const answer = await this.#api.answer(request);
    if (answer) return answer;
    const file = asset(pathname, request);
    if (file) return file;
    throw new RequestError(`Not found: ${pathname}`, { status: 404 });
  }
}
