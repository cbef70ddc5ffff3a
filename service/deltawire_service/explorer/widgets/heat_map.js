// Draws an array in colours: blue below 0, orange above, the background at 0.
import { html, useState } from "../core/dom.js";
import { times } from "../core/arrays.js";
import { precise, short } from "../core/numbers.js";
import { Badge } from "./badge.js";
import { channelsOf, pooled, rowsOf } from "./grid.js";
import { NumberTable } from "./number_table.js";

/** @import { Traced } from "../core/arrays.js" */

const SIDE = 64; // rows and columns of a heat map, at most
const CARD_SIDE = 16; // of the cells on a card
const WHOLE = [330, 240], SMALL = [110, 110]; // room of a map in pixels, and of one of several channels
const WRITTEN = [56, 22]; // width and height of a cell with its number in it

// The class of a colour, h-9 … h0 … h9: picture/picture.css defines them.
function shade(number, largest) {
  if (typeof number !== "number") return "hx";
  const level = largest > 0 ? Math.round((9 * number) / largest) : 0;
  return `h${largest > 0 && level === 0 && number !== 0 ? Math.sign(number) : level}`;
}

/** @param {Traced} traced */
const largestOf = (traced) => Math.max(Math.abs(traced.min), Math.abs(traced.max));

// Cells as SVG, in a box of the picture.
/** @param {{ traced: Traced, [other: string]: any }} props */
export function Cells({ traced, x, y, width, height }) {
  if (!traced.numbers) return null;
  const channels = channelsOf(traced.numbers, traced.shape);
  const across = Math.min(channels.length, Math.ceil(Math.sqrt((channels.length * width) / Math.max(1, height))));
  const down = Math.ceil(channels.length / across);
  const [wide, high] = [width / across, height / down];
  const largest = largestOf(traced);
  return html`<g class="cells">${channels.map((channel, k) => tile(channel, largest, Math.floor(CARD_SIDE / Math.max(across, down)) || 1,
    x + wide * (k % across), y + high * Math.floor(k / across), wide, high, channels.length > 1 ? 1 : 0))}</g>`;
}

// The cells of one channel, with a gap around them.
function tile({ numbers, shape }, largest, most, x, y, width, height, gap) {
  const rows = pooled(rowsOf(numbers, shape), most);
  const size = Math.min((width - 2 * gap) / rows[0].length, (height - 2 * gap) / rows.length, 14);
  const [left, top] = [x + (width - size * rows[0].length) / 2, y + (height - size * rows.length) / 2];
  return rows.map((row, i) => row.map((number, j) => html`
    <rect class=${shade(number, largest)} x=${left + j * size} y=${top + i * size} width=${size} height=${size} />`));
}

// A heat map with its legend, and all its numbers on a click.
// `caption`: markup above the map, instead of the label's text.
// `integers`: labels or indices, which have neither a norm nor a colour.
// `chosen`, `choose`: the flat index of the chosen cell; a click then chooses a cell, and only the button shows all numbers.
/** @param {{ traced: Traced, t: Translate, [other: string]: any }} props */
export function HeatMap({ traced, label, caption = label, tone, chosen, choose, integers, badge, t }) {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);
  const listable = traced.numbers || traced.sample;
  return html`<figure class=${`heat ${tone ?? ""}`}>
    <figcaption>${caption} <small>${times(traced.shape)}</small> <${Badge} badge=${badge} t=${t} />
      ${listable && html`<button class="link all" aria-expanded=${open} onClick=${toggle}>
        ${t(open ? "fewer" : "allNumbers")}</button>`}</figcaption>
    ${traced.numbers
      ? html`<${ColourMap} ...${{ traced, label, chosen, choose, integers }} open=${toggle} />`
      : html`<p class="summary">${short(traced.min)} … ${short(traced.max)}, ‖·‖ ${precise(traced.norm)}</p>`}
    ${open && html`<${NumberTable} traced=${traced} t=${t} />`}
  </figure>`;
}

/** @param {{ traced: Traced, [other: string]: any }} props */
function ColourMap({ traced, label, integers, ...others }) {
  const largest = integers ? 0 : largestOf(traced);
  const channels = channelsOf(traced.numbers, traced.shape);
  const most = Math.floor(SIDE / Math.ceil(Math.sqrt(channels.length)));
  const name = (at) => (at ? `[${[...at, "·", "·"].join(", ")}]` : "");
  const map = (channel) => html`<${Matrix} ...${{ ...channel, ...others, most, largest }} room=${channels.length > 1 ? SMALL : WHOLE}
    label=${`${label}${name(channel.at)}: ${short(traced.min)} … ${short(traced.max)}`} />`;
  return html`${channels.length === 1 ? map(channels[0]) : html`<div class="channels">${channels.map((channel) => html`
      <div class="channel" data-channel=${channel.at.join()}><small>${name(channel.at)}</small>${map(channel)}</div>`)}</div>`}
    ${!integers && html`<div class="heat-legend" aria-hidden="true"><span>${short(-largest)}</span><i class="bar"></i><span>${short(largest)}</span>
      <span class="norm">‖·‖ ${precise(traced.norm)}</span></div>`}`;
}

// One matrix in colours. `most`: rows and columns of it, at most. `room`: width and height in pixels, about. `offset`: the flat
// index of its first number, and `at` the leading indices of all its numbers.
function Matrix({ numbers, shape, at, offset, label, largest, most, room, chosen, choose, open }) {
  const rows = rowsOf(numbers, shape);
  const shown = pooled(rows, most);
  const columns = shown[0].length;
  const written = columns <= 6 && shown.length <= 8;
  const fitting = (pixels, count) => Math.max(4, Math.min(16, pixels / count));
  const [width, height] = written ? WRITTEN : [fitting(room[0], columns), fitting(room[1], shown.length)];
  const selectable = choose && shown === rows; // a cell of a pooled map is no single number
  const [across, down] = [columns * width + 2, shown.length * height + 2];
  return html`<svg width=${across} height=${down} viewBox=${`0 0 ${across} ${down}`} role="img" onClick=${selectable ? null : open}
      class=${selectable ? "" : "opens"} aria-label=${label}>
      ${shown.map((row, i) => row.map((number, j) => {
        const index = offset + i * columns + j;
        return html`<g class=${`cell ${selectable ? "choice" : ""} ${index === chosen ? "chosen" : ""}`} onClick=${selectable && (() => choose(index))}>
          <rect class=${shade(number, largest)} x=${1 + j * width} y=${1 + i * height} width=${width} height=${height} />
          ${written && html`<text class=${`on ${shade(number, largest)}`} x=${1 + (j + 0.5) * width} y=${1 + i * height + 15}>${short(number)}</text>`}
          <title>${shown === rows ? `[${[...(at ?? []), i, j].join(", ")}] ` : ""}${String(number)}</title></g>`;
      }))}
    </svg>`;
}
