/**
 * What is drawn behind and over the bars: the shade of open windows, the mark of the opened bar, and
 * the line of the week before.
 * @module
 */

/** @typedef {import("uplot/dist/uPlot.d.ts")} Plot */
/** @typedef {import("./bar_path.js").BarSpan} BarSpan */

/** Over bars narrower than this the line has no edge, which would cover them. */
const NARROW_PX = 5;

/** @param {Plot} plot @param {BarSpan | null} span @param {string} color */
export function shade({ ctx, bbox, valToPos }, span, color) {
  if (span === null) return;
  const left = Math.round(valToPos(span.start, "x", true));
  const right = Math.round(valToPos(span.end, "x", true));
  ctx.fillStyle = color;
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
}

/** @param {Plot} plot @param {number | null} from @param {string} color */
export function labelOpen({ ctx, bbox, axes, valToPos }, from, color) {
  if (from === null) return;
  const ratio = devicePixelRatio;
  const right = bbox.left + bbox.width;
  const [{ font } = {}] = axes;
  ctx.fillStyle = color;
  ctx.font = font?.[0] ?? "";
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  const { width } = ctx.measureText("open");
  if (right - valToPos(from, "x", true) < width + 8 * ratio) return;
  ctx.fillText("open", right - 5 * ratio, bbox.top + 13 * ratio);
}

/**
 * A line through the middle of the bars, with gaps where nothing is known; its edge sets it off
 * from the bars.
 * @param {Plot} plot
 * @param {{ spans: readonly BarSpan[], values: readonly (number | null)[] }} line
 * @param {{ line: string, edge: string }} colors
 */
export function drawWeekLine({ ctx, valToPos }, { spans, values }, colors) {
  const path = new Path2D();
  let isDrawing = false;
  spans.forEach(({ start, end }, at) => {
    const value = values[at] ?? null;
    if (value === null) {
      isDrawing = false;
      return;
    }
    const x = valToPos((start + end) / 2, "x", true);
    const y = valToPos(value, "y", true);
    // A short line for one that stands alone.
    if (!isDrawing) path.moveTo(x - 2, y);
    path.lineTo(x, y);
    isDrawing = true;
  });
  const ratio = devicePixelRatio;
  const [{ start = 0, end = 0 } = {}] = spans;
  const isNarrow = valToPos(end, "x") - valToPos(start, "x") < NARROW_PX;
  ctx.save();
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
  if (isNarrow) ctx.globalAlpha = 0.6;
  const strokes = isNarrow
    ? [{ color: colors.line, width: 1 }]
    : [{ color: colors.edge, width: 3.5 }, { color: colors.line, width: 1.5 }];
  for (const { color, width } of strokes) {
    ctx.strokeStyle = color;
    ctx.lineWidth = width * ratio;
    ctx.stroke(path);
  }
  ctx.restore();
}
