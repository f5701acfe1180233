/**
 * The bars, on whole pixels, each as wide as its time: a day may have 23 hours. The parts of a
 * bar are separated by a line where there is room for it.
 * @module
 */

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {{ readonly start: number, readonly end: number }} BarSpan in seconds */

const MAX_WIDTH = 96;
/** Narrower bars touch each other. */
const MIN_WIDTH_OF_GAP = 5;
const MIN_WIDTH_OF_LINE = 7;

/**
 * Draws a layer of a stack; the layer below it is the next series.
 * @param {() => readonly BarSpan[]} spans
 * @returns {(plot: Plot, series: number) => import("uplot/dist/uPlot.d.ts").Series.Paths}
 */
export function barPath(spans) {
  return (plot, series) => {
    const fill = new Path2D();
    const tops = plot.data[series] ?? [];
    const below = plot.data[series + 1];
    const { gap, line } = bordersOf(plot, spans());
    spans().forEach(({ start, end }, at) => {
      const [top, bottom] = [tops[at] ?? 0, below?.[at] ?? 0];
      if (top <= bottom) return;
      const [left, width] = columnOf(plot, { start, end }, gap);
      const topY = Math.round(plot.valToPos(top, "y", true));
      const bottomY = Math.round(plot.valToPos(bottom, "y", true));
      const hasLine = bottom > 0 && bottomY - topY > 3 * line;
      fill.rect(left, topY, width, bottomY - topY - (hasLine ? line : 0));
    });
    return { fill, stroke: null, clip: null, band: null, gaps: [], flags: 0 };
  };
}

/**
 * The gap between two bars, and the line between two of their parts: the same for all bars, or they
 * would make a pattern.
 * @param {Plot} plot
 * @param {readonly BarSpan[]} spans
 */
function bordersOf(plot, spans) {
  const ratio = devicePixelRatio;
  const [first, last] = [spans[0]?.start ?? 0, spans.at(-1)?.end ?? 0];
  const width = plot.valToPos(last, "x", true) - plot.valToPos(first, "x", true);
  const room = width / spans.length;
  return {
    gap: room < MIN_WIDTH_OF_GAP * ratio ? 0 : Math.max(ratio, Math.round(room * 0.14)),
    line: room < MIN_WIDTH_OF_LINE * ratio ? 0 : ratio,
  };
}

/**
 * Left and width of a bar on the canvas.
 * @param {Plot} plot
 * @param {BarSpan} span
 * @param {number} gap
 * @returns {[number, number]}
 */
function columnOf(plot, { start, end }, gap) {
  const left = Math.round(plot.valToPos(start, "x", true));
  const room = Math.round(plot.valToPos(end, "x", true)) - left;
  const width = Math.max(1, Math.min(MAX_WIDTH * devicePixelRatio, room - gap));
  return [left + Math.floor((room - width) / 2), width];
}
