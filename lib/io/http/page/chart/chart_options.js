/**
 * How the chart is drawn: scales, axes, bars, and the shade over open windows.
 * @module
 */

import { clock, compact } from "../format.js";

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */

/** From a script of its own, which is loaded before. @type {typeof import("uplot/dist/uPlot.d.ts")} */
export const UPlot = /** @type {any} */ (globalThis).uPlot;

const MINUTE = 60;
/** Seconds between two labels. */
const TIME_STEPS = [
  ...[10, 30],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 1_440].map((minutes) => minutes * MINUTE),
];

/**
 * @typedef {object} ChartLook
 * @property {HTMLElement} place
 * @property {readonly number[]} colors of the layers, lowest first
 * @property {() => [number, number]} range from and to, in seconds
 * @property {() => number | null} openFrom where open windows begin, in seconds
 * @property {(plot: Plot) => void} onCursor
 */

/** @param {ChartLook} look @returns {import("uplot/dist/uPlot.d.ts").Options} */
export function chartOptions({ place, colors, range, openFrom, onCursor }) {
  const style = getComputedStyle(place);
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(`--${name}`);
  const paths = UPlot.paths.bars?.({ size: [0.86, 64], align: 1 });
  const axis = {
    stroke: color("muted"),
    font: `12px ${style.fontFamily}`,
    ticks: { show: false },
  };
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range },
      y: { range: (_plot, _least, greatest) => [0, Math.max(greatest * 1.12, 1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 30, space: 70, incrs: TIME_STEPS, values: times },
      {
        ...axis,
        grid: { stroke: color("grid"), width: 1 },
        size: 52,
        values: (_plot, values) => values.map(compact),
      },
    ],
    series: [
      {},
      // The highest layer first: lower ones are painted over it.
      ...colors.toReversed().map((each) => ({
        fill: color(`type-${each}`),
        stroke: color("card"),
        width: 1,
        points: { show: false },
        ...paths && { paths },
      })),
    ],
    hooks: {
      drawClear: [(plot) => shadeOpen(plot, openFrom(), color("open"))],
      draw: [(plot) => labelOpen(plot, openFrom(), color("muted"))],
      setCursor: [onCursor],
    },
  };
}

/** @param {Plot} _plot @param {readonly number[]} seconds */
function times(_plot, seconds) {
  return seconds.map((each) => clock(each * 1000, each % MINUTE === 0 ? MINUTE * 1000 : 1000));
}

/** @param {Plot} plot @param {number | null} from @param {string} color */
function shadeOpen({ ctx, bbox, valToPos }, from, color) {
  if (from === null) return;
  const left = valToPos(from, "x", true);
  ctx.fillStyle = color;
  ctx.fillRect(left, bbox.top, bbox.left + bbox.width - left, bbox.height);
}

/** @param {Plot} plot @param {number | null} from @param {string} color */
function labelOpen({ ctx, bbox, axes }, from, color) {
  if (from === null) return;
  const ratio = devicePixelRatio;
  const [{ font } = {}] = axes;
  ctx.fillStyle = color;
  ctx.font = font?.[0] ?? "";
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  ctx.fillText("open", bbox.left + bbox.width - 5 * ratio, bbox.top + 13 * ratio);
}
