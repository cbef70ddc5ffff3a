// An array as a picture: rows × columns of one example, blue below 0, orange above, the background at 0.
import { Badge } from "../core/badges.js";
import { html, useState } from "../core/dom.js";
import { precise, short, times } from "../core/numbers.js";
import { pooled, rowsOf } from "./rows.js";
import { NumberTable } from "./table.js";

const SIDE = 64; // cells a side, at most
const WRITTEN = [54, 22]; // a cell with its number in it

// Nine classes a side are defined in picture/picture.css: h-9 … h0 … h9.
function shade(number, largest) {
  if (typeof number !== "number") return "hx";
  const level = largest > 0 ? Math.round((9 * number) / largest) : 0;
  return `h${largest > 0 && level === 0 && number !== 0 ? Math.sign(number) : level}`;
}

const largestOf = (traced) => Math.max(Math.abs(traced.min), Math.abs(traced.max));

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

// A heat map with its legend, and all its numbers on a click.
// `integers`: labels or places in a table, of which a norm or a colour would say nothing.
// `chosen` and `choose`: the cell looked at, as a flat index; then a click chooses, and a button shows the numbers.
export function HeatMap({ traced, label, tone, chosen, choose, integers, badge, t }) {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);
  const there = traced.numbers || traced.sample;
  return html`<figure class=${`heat ${tone ?? ""}`}>
    <figcaption>${label} <small>${times(traced.shape)}</small> <${Badge} badge=${badge} t=${t} />
      ${there && html`<button class="link all" aria-expanded=${open} onClick=${toggle}>
        ${t(open ? "fewer" : "allNumbers")}</button>`}</figcaption>
    ${traced.numbers
      ? html`<${Map} ...${{ traced, label, chosen, choose, integers }} open=${toggle} />`
      : html`<p class="summary">${short(traced.min)} … ${short(traced.max)}, ‖·‖ ${precise(traced.norm)}</p>`}
    ${open && html`<${NumberTable} traced=${traced} t=${t} />`}
  </figure>`;
}

function Map({ traced, label, chosen, choose, integers, open }) {
  const rows = rowsOf(traced.numbers, traced.shape);
  const shown = pooled(rows, SIDE);
  const columns = shown[0].length;
  const largest = integers ? 0 : largestOf(traced);
  const written = columns <= 6 && shown.length <= 8;
  const fitting = (room, count) => Math.max(4, Math.min(16, room / count));
  const [width, height] = written ? WRITTEN : [fitting(330, columns), fitting(240, shown.length)];
  const single = choose && shown === rows; // of a pooled map no cell is one number
  return html`<svg width=${columns * width + 2} height=${shown.length * height + 2} role="img" onClick=${single ? null : open}
      class=${single ? "" : "opens"} aria-label=${`${label}: ${short(traced.min)} … ${short(traced.max)}`}>
      ${shown.map((row, i) => row.map((number, j) => {
        const place = i * columns + j;
        return html`<g class=${`cell ${single ? "choice" : ""} ${place === chosen ? "chosen" : ""}`} onClick=${single && (() => choose(place))}>
          <rect class=${shade(number, largest)} x=${1 + j * width} y=${1 + i * height} width=${width} height=${height} />
          ${written && html`<text class=${`on ${shade(number, largest)}`} x=${1 + (j + 0.5) * width} y=${1 + i * height + 15}>${short(number)}</text>`}
          <title>${shown === rows ? `[${i}, ${j}] ` : ""}${String(number)}</title></g>`;
      }))}
    </svg>
    ${!integers && html`<div class="legend" aria-hidden="true"><span>${short(-largest)}</span><i class="bar"></i><span>${short(largest)}</span>
      <span class="norm">‖·‖ ${precise(traced.norm)}</span></div>`}`;
}
