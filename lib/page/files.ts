/**
 * The files that the page is made of. They come with the modules, so that there is no folder
 * to be found at run time, and a compiled program has them too.
 * @module
 */

import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import about from "./about.js" with { type: "text" };
import address from "./address.js" with { type: "text" };
import app from "./app.js" with { type: "text" };
import barTip from "./bar_tip.js" with { type: "text" };
import busiest from "./busiest.js" with { type: "text" };
import chart from "./chart.js" with { type: "text" };
import chartOptions from "./chart_options.js" with { type: "text" };
import counts from "./counts.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import page from "./index.html" with { type: "text" };
import legend from "./legend.js" with { type: "text" };
import lettersStyle from "./letters.css" with { type: "text" };
import letters from "./letters.js" with { type: "text" };
import pageStyle from "./page.css" with { type: "text" };
import lotteryBoxStyle from "./lottery_box.css" with { type: "text" };
import lotteryBox from "./lottery_box.js" with { type: "text" };
import notices from "./notices.js" with { type: "text" };
import palette from "./palette.js" with { type: "text" };
import partsStyle from "./parts.css" with { type: "text" };
import smooth from "./smooth.js" with { type: "text" };
import stack from "./stack.js" with { type: "text" };
import stream from "./stream.js" with { type: "text" };
import tiles from "./tiles.js" with { type: "text" };
import viewsStyle from "./views.css" with { type: "text" };
import windows from "./windows.js" with { type: "text" };

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
  "about.js": about,
  "address.js": address,
  "app.js": app,
  "bar_tip.js": barTip,
  "busiest.js": busiest,
  "chart.js": chart,
  "chart_options.js": chartOptions,
  "counts.js": counts,
  "dom.js": dom,
  "format.js": format,
  "icon.svg": icon,
  "legend.js": legend,
  "letters.css": lettersStyle,
  "letters.js": letters,
  "page.css": pageStyle,
  "lottery_box.css": lotteryBoxStyle,
  "lottery_box.js": lotteryBox,
  "notices.js": notices,
  "palette.js": palette,
  "parts.css": partsStyle,
  "smooth.js": smooth,
  "stack.js": stack,
  "stream.js": stream,
  "tiles.js": tiles,
  "views.css": viewsStyle,
  "windows.js": windows,
};

export const PAGE_FILES: readonly PageFile[] = [
  { path: "/", type: "text/html; charset=utf-8", text: page },
  ...Object.entries(TEXTS).map(([name, text]) => ({
    path: `/page/${name}`,
    type: TYPES[name.slice(name.lastIndexOf(".") + 1)]!,
    text,
  })),
];
