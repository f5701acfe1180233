/**
 * Counts as CSV, streamed page by page: the next is read when the client has taken the one before.
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @module
 */

import { delay } from "../../../async/delay.ts";
import { isoTime } from "../../../core/text/time.ts";
import { stepName } from "../../../core/views/steps.ts";
import type { CountRow, CountsQuery } from "../../postgres/queries/counts/query.ts";
import type { CountsPage } from "../../postgres/queries/counts/counts.ts";
import { respond } from "../responses.ts";

const COLUMNS = "window_start,window_end,lottery_name,event_type,event_count,closed\r\n";

export interface CsvDownload {
  readonly query: CountsQuery;
  readonly firstPage: CountsPage;
  readonly readPage: (query: CountsQuery) => Promise<CountsPage>;
  /** Called once, when the last row was read, the client is gone, or a page cannot be read. */
  readonly onEnd: () => void;
  /** Cuts it off when the server shuts down. */
  readonly signal: AbortSignal;
}

/** A page that cannot be read cuts the connection: the client must not take a part for the whole. */
export function csvResponse(
  { query, firstPage, readPage, onEnd, signal }: CsvDownload,
): Response {
  const encoder = new TextEncoder();
  const ended = new AbortController();
  ended.signal.addEventListener("abort", onEnd, { once: true });
  const pages = pagesOf(query, {
    firstPage,
    readPage,
    signal: AbortSignal.any([ended.signal, signal]),
  });
  let heading = COLUMNS;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { value: rows } = await pages.next();
        signal.throwIfAborted();
        if (ended.signal.aborted) return;
        if (rows) controller.enqueue(encoder.encode(heading + rows.map(line).join("")));
        else {
          controller.close();
          ended.abort();
        }
        heading = "";
      } catch (error) {
        ended.abort();
        throw error;
      }
    },
    cancel: () => ended.abort(),
  }, { highWaterMark: 0 });
  return respond(body, { headers: csvHeaders(query) });
}

/**
 * The rows of each page that has any, and of the first. Each reading is followed by a rest of the
 * same length: a download takes half of the time of the connection that it shares.
 */
async function* pagesOf(
  query: CountsQuery,
  { firstPage, readPage, signal }: Pick<CsvDownload, "firstPage" | "readPage"> & {
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly CountRow[], undefined> {
  let { rows, next } = firstPage;
  yield rows;
  while (next !== null && !signal.aborted) {
    const begunMs = performance.now();
    ({ rows, next } = await readPage({ ...query, after: next }));
    if (rows.length > 0) yield rows;
    await delay(performance.now() - begunMs, signal);
  }
}

/** What a HEAD request gets. */
export function csvHeaders({ fromMs, toMs, stepSeconds }: CountsQuery): Record<string, string> {
  const [from, to] = [fromMs, toMs].map((ms) => isoTime(ms).replaceAll(/[-:]|\.\d+/g, ""));
  return {
    "content-type": "text/csv; charset=utf-8; header=present",
    "content-disposition": `attachment; filename="lottery_counts_${
      stepName(stepSeconds * 1000)
    }_${from}_${to}.csv"`,
  };
}

function line({ startMs, endMs, lotteryName, eventType, count, isClosed }: CountRow): string {
  const fields = [isoTime(startMs), isoTime(endMs), field(lotteryName), field(eventType)];
  return `${fields.join(",")},${count},${isClosed}\r\n`;
}

/**
 * A name as it was counted. One that a spreadsheet would take for a formula stays as it is, because
 * a program that reads the file would find no such name with a quote in front of it.
 */
function field(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

/** True if a request prefers CSV to JSON, by its header `accept`. */
export function prefersCsv(accept: string | null): boolean {
  const qualities = new Map(
    (accept ?? "").split(",").map((range) => {
      const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
      const quality = parameters.find((each) => each.startsWith("q="))?.slice(2);
      return [type!, quality === undefined ? 1 : Number(quality) || 0];
    }),
  );
  const csv = qualities.get("text/csv") ?? 0;
  return csv > 0 && csv >= (qualities.get("application/json") ?? 0);
}
