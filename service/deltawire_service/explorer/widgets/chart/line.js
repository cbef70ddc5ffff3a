// Turns a curve of many points into the path of an SVG, with a few points for each column of pixels.

const LEFT_OUT = 4; // points a column, up to which all are drawn

// Returns the `d` of a path. Of the points of a column the first, the least, the largest and the last are drawn, so that no
// peak is lost. Points without a place are left out, and the line goes on behind them. `x` ascends.
export function pathOf(x, y, toX, toY) {
  const width = x.length ? Math.abs(toX(x.at(-1)) - toX(x[0])) : 0;
  const dense = x.length > LEFT_OUT * (width + 1);
  const parts = [];
  const draw = (index) => parts.push(`${toX(x[index]).toFixed(1)} ${toY(y[index]).toFixed(1)}`);
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
