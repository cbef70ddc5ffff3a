// Turns a curve of many points into the path of an SVG, with a few points for each column of pixels.

const LEFT_OUT = 4; // points a column, up to which all are drawn

// Returns the `d` of a path. Of the points of a column the first, the least, the largest and the last are drawn, so that no
// peak is lost. Points without a place are left out, and the line goes on behind them. `x` ascends.
export function pathOf(x, y, toX, toY) {
  const width = x.length ? Math.abs(toX(x.at(-1)) - toX(x[0])) : 0;
  const dense = x.length > LEFT_OUT * (width + 1);
  const parts = [];
  const draw = (index) => parts.push(`${toX(x[index]).toFixed(1)} ${toY(y[index]).toFixed(1)}`);
  /** @type {any} */
  let column = null; // {at, first, least, largest, last}: indices of points
  const end = () => {
    if (column) [...new Set([column.first, column.least, column.largest, column.last])].sort((a, b) => a - b).forEach(draw);
    column = null;
  };
  for (let i = 0; i < x.length; i += 1) {
    if (y[i] === null || !Number.isFinite(toY(y[i]))) continue;
    if (!dense) { draw(i); continue; }
    const at = Math.round(toX(x[i]));
    if (column?.at !== at) { end(); column = { at, first: i, least: i, largest: i, last: i }; }
    if (y[i] < y[column.least]) column.least = i;
    if (y[i] > y[column.largest]) column.largest = i;
    column.last = i;
  }
  end();
  return parts.length ? `M${parts.join("L")}` : "";
}

// Returns the index of the number nearest to `wanted` in an ascending array; -1 in an empty one.
export function nearest(x, wanted) {
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] < wanted) low = middle;
    else high = middle;
  }
  return high < 0 || Math.abs(x[low] - wanted) <= Math.abs(x[high] - wanted) ? Math.min(low, high) : high;
}

const PLACES = 200; // that a smooth curve is drawn at

// Returns a smooth curve {x, y}: at some places of a curve, the mean of `width` points around it, without the gaps.
export function smoothed(x, y, width) {
  const half = Math.floor(width / 2);
  const [sums, counts] = [new Float64Array(y.length + 1), new Uint32Array(y.length + 1)];
  y.forEach((number, i) => {
    sums[i + 1] = sums[i] + (number ?? 0);
    counts[i + 1] = counts[i] + (number === null ? 0 : 1);
  });
  const most = Math.min(y.length, PLACES);
  const places = Array.from({ length: most }, (_, i) => Math.round((i * (y.length - 1)) / Math.max(1, most - 1)));
  const mean = (i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(y.length, i + half + 1)];
    return counts[to] > counts[from] ? (sums[to] - sums[from]) / (counts[to] - counts[from]) : null;
  };
  return { x: places.map((i) => x[i]), y: places.map(mean) };
}
