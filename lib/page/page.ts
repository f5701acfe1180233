/**
 * The worker's page: the newest counts as a table.
 * @module
 */

import type { WindowCount } from "../core/window.ts";

const STYLE = `
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { padding: 0.3rem 0.6rem; text-align: left; border-bottom: 1px solid #8884; }
  td.count, th.count { text-align: right; font-variant-numeric: tabular-nums; }
`;

/** The page as HTML; `null` counts mean that the database did not answer. */
export function renderPage(counts: readonly WindowCount[] | null): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Lottery events</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Lottery events per minute</h1>
${renderCounts(counts)}
</body>
</html>
`;
}

function renderCounts(counts: readonly WindowCount[] | null): string {
  if (counts === null) return "<p>The database does not answer. Trying again.</p>";
  if (counts.length === 0) return "<p>No events yet.</p>";
  const rows = counts.map(({ windowStartMs, lotteryName, eventType, count }) =>
    `<tr><td>${new Date(windowStartMs).toISOString()}</td><td>${escape(lotteryName)}</td>` +
    `<td>${escape(eventType)}</td><td class="count">${count}</td></tr>`
  );
  return `<table>
<thead><tr><th>window</th><th>lottery</th><th>event type</th><th class="count">events</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that stays text in HTML, whatever a lottery is called. */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
