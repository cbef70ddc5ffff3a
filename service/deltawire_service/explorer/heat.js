// An array as a picture: rows × columns of one example, blue below 0, orange above, the background at 0.
import { html } from "./dom.js";
import { flat, precise, short, times } from "./numbers.js";

// Rows of numbers: leading axes one below the other; a long vector is cut into lines.
export function rowsOf(numbers, shape) {
  const all = flat(numbers);
  const columns = shape.length > 1 ? shape.at(-1) : all.length > 16 ? Math.ceil(Math.sqrt(all.length)) : all.length || 1;
  const rows = [];
  for (let i = 0; i < all.length; i += columns) rows.push(all.slice(i, i + columns));
  return rows;
}

// At most this many cells: of each block the number that is largest in size.
function pooled(rows, most) {
  const [high, wide] = [Math.ceil(rows.length / most), Math.ceil(rows[0].length / most)];
  if (high === 1 && wide === 1) return rows;
  const blocks = [];
  for (let i = 0; i < rows.length; i += high) {
    const line = [];
    for (let j = 0; j < rows[0].length; j += wide) {
      const block = rows.slice(i, i + high).flatMap((row) => row.slice(j, j + wide));
      line.push(block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
    }
    blocks.push(line);
  }
  return blocks;
}

// What fits into a cell.
function cell(number) {
  if (typeof number !== "number" || number === 0 || (Math.abs(number) >= 0.005 && Math.abs(number) < 1e5)) return short(number);
  return number.toExponential(0).replaceAll("-", "−");
}

// Nine classes a side are defined in graph.css: h-9 … h0 … h9.
export function shade(number, largest) {
  if (typeof number !== "number") return "hx";
  const level = largest > 0 ? Math.round((9 * number) / largest) : 0;
  return `h${level === 0 && number !== 0 ? Math.sign(number) : level}`;
}

export const largestOf = (traced) => Math.max(Math.abs(traced.min), Math.abs(traced.max));

// Cells as SVG, in a box of the graph.
export function Cells({ traced, x, y, width, height }) {
  if (!traced.numbers) return null;
  const rows = pooled(rowsOf(traced.numbers, traced.shape), 16);
  const size = Math.min(width / rows[0].length, height / rows.length, 14);
  const [left, top] = [x + (width - size * rows[0].length) / 2, y + (height - size * rows.length) / 2];
  const largest = largestOf(traced);
  return html`<g class="cells">${rows.map((row, i) => row.map((number, j) => html`
    <rect class=${shade(number, largest)} x=${left + j * size} y=${top + i * size} width=${size} height=${size} />`))}</g>`;
}

// A heat map with its legend; `chosen` and `choose`: the cell looked at, as a flat index.
export function HeatMap({ traced, label, tone, chosen, choose, text }) {
  if (!traced.numbers) {
    return html`<figure class="heat"><figcaption>${label} <small>${times(traced.shape)}</small></figcaption>
      <p class="summary">${short(traced.min)} … ${short(traced.max)}, ‖·‖ ${precise(traced.norm)}</p></figure>`;
  }
  const rows = rowsOf(traced.numbers, traced.shape);
  const largest = largestOf(traced);
  const columns = rows[0].length;
  const written = columns <= 6 && rows.length <= 8;
  const [width, height] = written ? [54, 22] : [Math.max(4, Math.min(16, 330 / columns)), Math.max(4, Math.min(16, 240 / rows.length))];
  return html`<figure class=${`heat ${tone ?? ""}`}>
    <figcaption>${label} <small>${times(traced.shape)}</small></figcaption>
    <svg width=${columns * width + 2} height=${rows.length * height + 2} role="img" aria-label=${`${text ?? label}: ${short(traced.min)} … ${short(traced.max)}`}>
      ${rows.map((row, i) => row.map((number, j) => html`
        <g class=${`cell ${choose ? "choice" : ""} ${i * columns + j === chosen ? "chosen" : ""}`} onClick=${choose && (() => choose(i * columns + j))}>
          <rect class=${shade(number, largest)} x=${1 + j * width} y=${1 + i * height} width=${width} height=${height} />
          ${written && html`<text class=${`on ${shade(number, largest)}`} x=${1 + (j + 0.5) * width} y=${1 + i * height + 15}>${cell(number)}</text>`}
          <title>[${i}, ${j}] ${String(number)}</title>
        </g>`))}
    </svg>
    <div class="legend" aria-hidden="true"><span>${short(-largest)}</span><i class="bar"></i><span>${short(largest)}</span><span class="norm">‖·‖ ${precise(traced.norm)}</span></div>
  </figure>`;
}
