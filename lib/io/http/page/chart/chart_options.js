/**
 * How the chart is drawn: scales, axes, bars, and the marks around them.
 * @module
 */

import { onAxis } from "../format.js";
import { barPath } from "./bar_path.js";
import { drawWeekLine, labelOpen, shade } from "./marks.js";
import { timeLabels } from "./time_axis.js";

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {import("./bar_path.js").BarSpan} BarSpan */

/** From a script of its own, which is loaded before. @type {typeof import("uplot/dist/uPlot.d.ts")} */
export const UPlot = /** @type {any} */ (globalThis).uPlot;

const LABEL_PX = 68;
/** A move of the pointer that is longer than this is no click. */
const DRAG_PX = 6;
/** Distances between lines of the grid; none below one event. */
const COUNT_STEPS = Array.from(
  { length: 16 },
  (_, power) => [1, 2, 2.5, 5].map((each) => each * 10 ** power),
).flat().filter(Number.isInteger);

/**
 * @typedef {object} ChartLook
 * @property {HTMLElement} place
 * @property {readonly number[]} colors of the layers, lowest first
 * @property {() => [number, number]} range from and to, in seconds
 * @property {() => readonly BarSpan[]} spans of the bars
 * @property {() => readonly (number | null)[]} weekAgo by bar
 * @property {() => number | null} openFrom where open windows begin, in seconds
 * @property {() => BarSpan | null} opened the bar whose table is open
 * @property {(plot: Plot) => void} onCursor
 * @property {(span: BarSpan) => void} onDrag
 */

/** @param {ChartLook} look @returns {import("uplot/dist/uPlot.d.ts").Options} */
export function chartOptions(look) {
  const { place, colors, range, spans, weekAgo, openFrom, opened, onCursor, onDrag } = look;
  const style = getComputedStyle(place);
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(`--${name}`);
  const axis = {
    stroke: color("muted"),
    font: `12px ${style.fontFamily}`,
    ticks: { show: false },
    grid: { stroke: color("grid"), width: 1 },
  };
  const open = () => {
    const from = openFrom();
    return from === null ? null : { start: from, end: range()[1] };
  };
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: {
      x: false,
      y: false,
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      points: { show: false },
    },
    scales: {
      x: { time: false, range },
      y: {
        range: (_plot, _least, greatest) => {
          const most = Math.max(greatest ?? 0, ...weekAgo().map((each) => each ?? 0));
          return [0, Math.max(most * 1.12, 1)];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: LABEL_PX,
        splits: (plot, _axis, min, max) => labels(plot, min, max).map(({ seconds }) => seconds),
        values: (plot) => {
          const { min = 0, max = 0 } = plot.scales["x"] ?? {};
          return labels(plot, min, max).map(({ text }) => text);
        },
        grid: { ...axis.grid, filter: (plot) => dayLines(plot) },
      },
      {
        ...axis,
        size: (plot, values) => axisWidth(plot, values),
        incrs: COUNT_STEPS,
        space: 44,
        values: (_plot, values) => values.map(onAxis),
      },
    ],
    series: [
      {},
      // The highest layer first: each is drawn down to the next one.
      ...colors.toReversed().map((each) => ({
        fill: color(`type-${each}`),
        width: 0,
        points: { show: false },
        paths: barPath(spans),
      })),
    ],
    hooks: {
      drawClear: [
        (plot) => shade(plot, open(), color("open")),
        (plot) => shade(plot, opened(), color("opened")),
      ],
      draw: [
        (plot) => {
          const line = { spans: spans(), values: weekAgo() };
          drawWeekLine(plot, line, { line: color("week"), edge: color("week-edge") });
        },
        (plot) => labelOpen(plot, openFrom(), color("muted")),
      ],
      setCursor: [onCursor],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width === 0) return;
        const [start, end] = [left, left + width].map((each) => plot.posToVal(each, "x"));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        onDrag({ start: start ?? 0, end: end ?? 0 });
      }],
    },
  };
}

/** @param {Plot} plot @param {number} min @param {number} max */
function labels({ bbox }, min, max) {
  return timeLabels(min, max, bbox.width / devicePixelRatio / LABEL_PX);
}

/** Lines at days, if the chart has several; null draws none. @param {Plot} plot */
function dayLines(plot) {
  const { min = 0, max = 0 } = plot.scales["x"] ?? {};
  return labels(plot, min, max).map(({ seconds, isDay }) => isDay ? seconds : null);
}

/** @param {Plot} plot @param {readonly string[] | null} values */
function axisWidth({ ctx, axes }, values) {
  const { font } = axes[1] ?? {};
  ctx.save();
  ctx.font = font?.[0] ?? "";
  const widths = (values ?? []).map((each) => ctx.measureText(each).width / devicePixelRatio);
  ctx.restore();
  return Math.ceil(Math.max(34, ...widths) + 16);
}
