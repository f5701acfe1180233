/**
 * The files that the page is made of. They come with the modules, so that there is no folder
 * to be found at run time, and a compiled program has them too.
 * @module
 */

import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import page from "./index.html" with { type: "text" };
import style from "./page.css" with { type: "text" };
import app from "./app.js" with { type: "text" };

/** A file, and where it is served. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

export const PAGE_FILES: readonly PageFile[] = [
  { path: "/", type: HTML, text: page },
  { path: "/page/page.css", type: STYLE, text: style },
  { path: "/page/app.js", type: SCRIPT, text: app },
  { path: "/page/uplot.css", type: STYLE, text: uplotStyle },
  { path: "/page/uplot.js", type: SCRIPT, text: uplot },
];
