/**
 * The files that the page is made of. They come with the modules, so that there is no folder
 * to be found at run time, and a compiled program has them too.
 * @module
 */

import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import address from "./address.js" with { type: "text" };
import app from "./app.js" with { type: "text" };
import barTip from "./chart/bar_tip.js" with { type: "text" };
import busiest from "./chart/busiest.js" with { type: "text" };
import chart from "./chart/chart.js" with { type: "text" };
import chartOptions from "./chart/chart_options.js" with { type: "text" };
import legend from "./chart/legend.js" with { type: "text" };
import palette from "./chart/palette.js" with { type: "text" };
import smooth from "./chart/smooth.js" with { type: "text" };
import stack from "./chart/stack.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import page from "./index.html" with { type: "text" };
import about from "./parts/about.js" with { type: "text" };
import counts from "./parts/counts.js" with { type: "text" };
import letters from "./parts/letters.js" with { type: "text" };
import lotteryBox from "./parts/lottery_box.js" with { type: "text" };
import notices from "./parts/notices.js" with { type: "text" };
import tiles from "./parts/tiles.js" with { type: "text" };
import windows from "./parts/windows.js" with { type: "text" };
import stream from "./stream.js" with { type: "text" };
import lettersStyle from "./styles/letters.css" with { type: "text" };
import lotteryBoxStyle from "./styles/lottery_box.css" with { type: "text" };
import pageStyle from "./styles/page.css" with { type: "text" };
import partsStyle from "./styles/parts.css" with { type: "text" };
import viewsStyle from "./styles/views.css" with { type: "text" };

/** A file, and where it is served. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const TEXTS: Readonly<Record<string, string>> = {
  "uplot.css": uplotStyle,
  "uplot.js": uplot,
  "parts/about.js": about,
  "address.js": address,
  "app.js": app,
  "chart/bar_tip.js": barTip,
  "chart/busiest.js": busiest,
  "chart/chart.js": chart,
  "chart/chart_options.js": chartOptions,
  "parts/counts.js": counts,
  "dom.js": dom,
  "format.js": format,
  "icon.svg": icon,
  "chart/legend.js": legend,
  "styles/letters.css": lettersStyle,
  "parts/letters.js": letters,
  "styles/page.css": pageStyle,
  "styles/lottery_box.css": lotteryBoxStyle,
  "parts/lottery_box.js": lotteryBox,
  "parts/notices.js": notices,
  "chart/palette.js": palette,
  "styles/parts.css": partsStyle,
  "chart/smooth.js": smooth,
  "chart/stack.js": stack,
  "stream.js": stream,
  "parts/tiles.js": tiles,
  "styles/views.css": viewsStyle,
  "parts/windows.js": windows,
};

export const PAGE_FILES: readonly PageFile[] = [
  { path: "/", type: "text/html; charset=utf-8", text: page },
  ...Object.entries(TEXTS).map(([name, text]) => ({
    path: `/page/${name}`,
    type: TYPES[name.slice(name.lastIndexOf(".") + 1)]!,
    text,
  })),
];
