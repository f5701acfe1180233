/**
 * What a worker is asked for by pages and by programs, over HTTP.
 * @module
 */

import { DAY_MS, HOUR_MS, MINUTE_MS } from "./filled.ts";

/** Ranges that are measured, by name. */
export const SPANS_MS = { "6 h": 6 * HOUR_MS, "7 d": 7 * DAY_MS, "90 d": 90 * DAY_MS };

export interface HttpRequest {
  readonly name: string;
  readonly path: string;
}

/** Ranges of the page that end with the current event time. */
const PAGE_RANGES = ["15m", "1h", "24h", "7d", "30d", "1y"];
const STEPS = { "6 h": "1m", "7 d": "1h", "90 d": "1d" } as const;

/** Pages that are opened. */
export function pageRequests(toMs: number): HttpRequest[] {
  return [
    ...PAGE_RANGES.map((range) => ({ name: `page, ${range}`, path: `/live?range=${range}` })),
    { name: "page, 1y of one lottery", path: "/live?range=1y&lottery=lottery_03" },
    ...spans(toMs).map(({ name, query }) => ({
      name: `page, any ${name}`,
      path: `/live?${query}&zone=Europe/Berlin`,
    })),
  ];
}

export function apiRequests(toMs: number): HttpRequest[] {
  const last = new URLSearchParams({
    from: new Date(toMs - 15 * MINUTE_MS).toISOString(),
    to: new Date(toMs).toISOString(),
  });
  return [
    { name: "/api/aggregates, 15 min", path: `/api/aggregates?${last}` },
    ...spans(toMs).flatMap(({ name, query }) => {
      const step = STEPS[name];
      return [
        {
          name: `/api/aggregates, ${name}`,
          path: `/api/aggregates?${query}`,
        },
        {
          name: `/api/aggregates, ${name} by ${step}`,
          path: `/api/aggregates?${query}&step=${step}`,
        },
        {
          name: `/api/aggregates, ${name} by ${step}, one lottery`,
          path: `/api/aggregates?${query}&step=${step}&lottery=lottery_03`,
        },
        { name: `/api/totals, ${name}`, path: `/api/totals?${query}` },
        {
          name: `/api/dead-letters/reasons, ${name} by ${step}`,
          path: `/api/dead-letters/reasons?${query}&step=${step}`,
        },
      ];
    }),
    { name: "/api/lotteries", path: "/api/lotteries?search=lottery" },
    { name: "/api/dead-letters", path: "/api/dead-letters?limit=100" },
  ];
}

function spans(toMs: number) {
  return Object.entries(SPANS_MS).map(([name, spanMs]) => ({
    name: name as keyof typeof SPANS_MS,
    query: new URLSearchParams({
      from: new Date(toMs - spanMs).toISOString(),
      to: new Date(toMs).toISOString(),
    }),
  }));
}

/** Reads the whole answer, or of a stream the first counts. @throws for a refusal. */
export async function answered(address: string, { path }: HttpRequest): Promise<void> {
  const response = await fetch(`${address}${path}`);
  if (response.status !== 200) {
    throw new Error(`${path}: ${response.status} ${(await response.text()).trim()}`);
  }
  if (!path.startsWith("/live")) {
    await response.arrayBuffer();
    return;
  }
  let text = "";
  // Leaving the loop closes the stream.
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    const counts = text.match(/^event: counts\ndata: (.*)\n\n/m);
    if (counts?.[1] === "null") throw new Error(`${path} has no counts`);
    if (counts) return;
  }
}
