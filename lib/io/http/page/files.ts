/**
 * The files of the page. They are imported as modules, so that no folder has to be found at run
 * time, and a compiled program has them too.
 * @module
 */

import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import address from "./address.js" with { type: "text" };
import api from "./api.js" with { type: "text" };
import app from "./app.js" with { type: "text" };
import changeMark from "./change_mark.js" with { type: "text" };
import barPath from "./chart/bar_path.js" with { type: "text" };
import barTip from "./chart/bar_tip.js" with { type: "text" };
import busiest from "./chart/busiest.js" with { type: "text" };
import chart from "./chart/chart.js" with { type: "text" };
import chartOptions from "./chart/chart_options.js" with { type: "text" };
import legend from "./chart/legend.js" with { type: "text" };
import marks from "./chart/marks.js" with { type: "text" };
import palette from "./chart/palette.js" with { type: "text" };
import smooth from "./chart/smooth.js" with { type: "text" };
import stack from "./chart/stack.js" with { type: "text" };
import timeAxis from "./chart/time_axis.js" with { type: "text" };
import zoom from "./chart/zoom.js" with { type: "text" };
import chips from "./choice/chips.js" with { type: "text" };
import choices from "./choice/choices.js" with { type: "text" };
import lotteryBox from "./choice/lottery_box.js" with { type: "text" };
import rangeBox from "./choice/range_box.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import page from "./index.html" with { type: "text" };
import about from "./parts/about.js" with { type: "text" };
import audit from "./parts/audit.js" with { type: "text" };
import barTable from "./parts/bar_table.js" with { type: "text" };
import chartHead from "./parts/chart_head.js" with { type: "text" };
import counts from "./parts/counts.js" with { type: "text" };
import letterReasons from "./parts/letter_reasons.js" with { type: "text" };
import letters from "./parts/letters.js" with { type: "text" };
import notices from "./parts/notices.js" with { type: "text" };
import quiet from "./parts/quiet.js" with { type: "text" };
import table from "./parts/table.js" with { type: "text" };
import tiles from "./parts/tiles.js" with { type: "text" };
import windows from "./parts/windows.js" with { type: "text" };
import shownTypes from "./shown_types.js" with { type: "text" };
import stream from "./stream.js" with { type: "text" };
import lettersStyle from "./styles/letters.css" with { type: "text" };
import lotteryBoxStyle from "./styles/lottery_box.css" with { type: "text" };
import pageStyle from "./styles/page.css" with { type: "text" };
import partsStyle from "./styles/parts.css" with { type: "text" };
import rangesStyle from "./styles/ranges.css" with { type: "text" };
import viewsStyle from "./styles/views.css" with { type: "text" };
import watchStyle from "./styles/watch.css" with { type: "text" };
import times from "./times.js" with { type: "text" };

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
  "address.js": address,
  "api.js": api,
  "app.js": app,
  "change_mark.js": changeMark,
  "dom.js": dom,
  "format.js": format,
  "icon.svg": icon,
  "shown_types.js": shownTypes,
  "stream.js": stream,
  "times.js": times,
  "uplot.css": uplotStyle,
  "uplot.js": uplot,
  "chart/bar_path.js": barPath,
  "chart/bar_tip.js": barTip,
  "chart/busiest.js": busiest,
  "chart/chart.js": chart,
  "chart/chart_options.js": chartOptions,
  "chart/legend.js": legend,
  "chart/marks.js": marks,
  "chart/palette.js": palette,
  "chart/smooth.js": smooth,
  "chart/stack.js": stack,
  "chart/time_axis.js": timeAxis,
  "chart/zoom.js": zoom,
  "choice/chips.js": chips,
  "choice/choices.js": choices,
  "choice/lottery_box.js": lotteryBox,
  "choice/range_box.js": rangeBox,
  "parts/about.js": about,
  "parts/audit.js": audit,
  "parts/bar_table.js": barTable,
  "parts/chart_head.js": chartHead,
  "parts/counts.js": counts,
  "parts/letter_reasons.js": letterReasons,
  "parts/letters.js": letters,
  "parts/notices.js": notices,
  "parts/quiet.js": quiet,
  "parts/table.js": table,
  "parts/tiles.js": tiles,
  "parts/windows.js": windows,
  "styles/letters.css": lettersStyle,
  "styles/lottery_box.css": lotteryBoxStyle,
  "styles/page.css": pageStyle,
  "styles/parts.css": partsStyle,
  "styles/ranges.css": rangesStyle,
  "styles/views.css": viewsStyle,
  "styles/watch.css": watchStyle,
};

export const PAGE_FILES: readonly PageFile[] = [
  { path: "/", type: "text/html; charset=utf-8", text: page },
  ...Object.entries(TEXTS).map(([name, text]) => ({
    path: `/page/${name}`,
    type: TYPES[name.slice(name.lastIndexOf(".") + 1)]!,
    text,
  })),
];
