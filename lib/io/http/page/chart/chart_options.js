/**
 * How the chart is drawn: scales, axes, bars, and the shade over open windows.
 * @module
 */

import { clock, compact } from "../format.js";

// From a script of its own, which is loaded before.
const UPlot = /** @type {any} */ (globalThis).uPlot;

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
 * @property {(plot: any) => void} onCursor
 */

/** @param {ChartLook} look */
export function chartOptions({ place, colors, range, openFrom, onCursor }) {
  const style = getComputedStyle(place);
  const [muted, grid, gap, open] = ["--muted", "--grid", "--card", "--open"]
    .map((name) => style.getPropertyValue(name));
  const axis = { stroke: muted, font: `12px ${style.fontFamily}`, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range },
      y: { range: scaleFrom0 },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 30, space: 70, incrs: TIME_STEPS, values: times },
      { ...axis, grid: { stroke: grid, width: 1 }, size: 52, values: numbers },
    ],
    series: [
      {},
      // The highest layer first: lower ones are painted over it.
      ...colors.toReversed().map((color) => ({
        fill: style.getPropertyValue(`--type-${color}`),
        stroke: gap,
        width: 1,
        points: { show: false },
        paths: UPlot.paths.bars({ size: [0.86, 64], align: 1 }),
      })),
    ],
    hooks: {
      drawClear: [(/** @type {any} */ plot) => shadeOpen(plot, openFrom(), open)],
      draw: [(/** @type {any} */ plot) => labelOpen(plot, openFrom(), muted)],
      setCursor: [onCursor],
    },
  };
}

/**
 * @param {unknown} _plot
 * @param {number} _least
 * @param {number} greatest
 */
function scaleFrom0(_plot, _least, greatest) {
  return [0, Math.max(greatest * 1.12, 1)];
}

/**
 * @param {unknown} _plot
 * @param {readonly number[]} seconds
 */
function times(_plot, seconds) {
  return seconds.map((each) => clock(each * 1000, each % MINUTE === 0 ? MINUTE * 1000 : 1000));
}

/**
 * @param {unknown} _plot
 * @param {readonly number[]} values
 */
function numbers(_plot, values) {
  return values.map(compact);
}

/**
 * @param {any} plot
 * @param {number | null} from
 * @param {string | undefined} color
 */
function shadeOpen({ ctx, bbox, valToPos }, from, color) {
  if (from === null) return;
  const left = valToPos(from, "x", true);
  ctx.fillStyle = color;
  ctx.fillRect(left, bbox.top, bbox.left + bbox.width - left, bbox.height);
}

/**
 * @param {any} plot
 * @param {number | null} from
 * @param {string | undefined} color
 */
function labelOpen({ ctx, bbox, axes }, from, color) {
  if (from === null) return;
  const ratio = devicePixelRatio;
  ctx.fillStyle = color;
  ctx.font = axes[0].font[0] ?? axes[0].font;
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  ctx.fillText("open", bbox.left + bbox.width - 5 * ratio, bbox.top + 13 * ratio);
}
