// Draws the examples as points by class, on the regions where the network predicts each class.
import { html, useLayoutEffect, useRef, useState } from "../../core/dom.js";
import { short } from "../../core/numbers.js";
import { Described } from "../../widgets/described.js";
import { COLUMNS, frameOf, ROWS } from "./plane.js";
import { useRegions } from "./region_requests.js";

const [LEFT, TOP, BELOW, RIGHT] = [36, 4, 18, 4]; // pixels around the plane
const MOST = 1000; // points
// The sign of each class, around (0, 0); further classes are drawn as their numbers.
const SIGNS = ["M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z", "M-3-3H3V3H-3z", "M0-4 4 3H-4z", "M0-4.4 4.4 0 0 4.4-4.4 0z"];

// `turn`: changes where the regions are to be drawn again.
export function Scatter({ document, params, plane, turn, t }) {
  const points = document.data[plane.points].slice(0, MOST);
  const labels = document.data[plane.label];
  const frame = frameOf(points);
  const element = useRef();
  const [[width, height], setSize] = useState(/** @type {number[]} */ ([160, 120])); // pixels of the plane; the style sheet sizes its element
  useLayoutEffect(() => {
    const size = () => setSize([element.current.clientWidth - LEFT - RIGHT, element.current.clientHeight - TOP - BELOW].map((one) => Math.max(20, one)));
    const watch = new ResizeObserver(size);
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  const { rows, failure } = useRegions({ document, params, plane, frame }, turn);
  const [[left, right], [bottom, top]] = frame;
  const across = (x) => LEFT + (width * (x - left)) / (right - left);
  const up = (y) => TOP + (height * (top - y)) / (top - bottom);
  const classes = Array.from({ length: plane.classes }, (_, i) => i);
  return html`<figure class="scatter" data-regions=${rows ? new Set(rows.flat()).size : 0}>
    <figcaption>${t("planeTitle", plane.points)}${failure && html` <small role="status"><${Described} fault=${failure.faults[0]} t=${t} /></small>`}</figcaption>
    <svg ref=${element} role="img" aria-label=${t("planeTitle", plane.points)}>
      ${rows && html`<${Regions} ...${{ rows, width, height }} />`}
      <rect class="frame" x=${LEFT} y=${TOP} width=${width} height=${height} />
      ${ticks(left, right).map((x) => html`<text class="tick" x=${across(x)} y=${TOP + height + 14}>${short(x)}</text>`)}
      ${ticks(bottom, top).map((y) => html`<text class="tick end" x=${LEFT - 4} y=${up(y) + 4}>${short(y)}</text>`)}
      ${points.map(([x, y], i) => html`<${Sign} which=${labels[i]} x=${across(x)} y=${up(y)} />`)}
    </svg>
    <div class="classes"><b>${plane.label}</b>${classes.slice(0, 10).map((one) => html`<span><svg width="12" height="12"><${Sign} which=${one} x=${6} y=${6} /></svg> ${one}</span>`)}</div>
  </figure>`;
}

function Sign({ which, x, y }) {
  const place = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  return SIGNS[which] ? html`<path class=${`point c${which}`} d=${SIGNS[which]} transform=${place} />`
    : html`<text class="point tick" transform=${place} y="4">${which}</text>`;
}

// Draws a line where the class changes, and the number of a class where it has room.
function Regions({ rows, width, height }) {
  const [wide, high] = [width / COLUMNS, height / ROWS];
  const runs = rows.flatMap((row, j) => row.flatMap((one, i) => (i && row[i - 1] === one ? []
    : [{ one, i, j, length: (row.findIndex((other, k) => k > i && other !== one) + COLUMNS + 1) % (COLUMNS + 1) - i }])));
  const [x, y] = [(i) => LEFT + i * wide, (j) => TOP + j * high];
  const border = rows.flatMap((row, j) => row.flatMap((one, i) => [
    i && row[i - 1] !== one ? `M${x(i)} ${y(j)}V${y(j + 1)}` : "", j && rows[j - 1][i] !== one ? `M${x(i)} ${y(j)}H${x(i + 1)}` : ""])).join("");
  const room = ({ j, length }) => length * Math.min(j + 1, ROWS - j, 8);
  const widest = [...new Set(rows.flat())].map((one) => runs.filter((run) => run.one === one).reduce((a, b) => (room(b) > room(a) ? b : a)));
  return html`<g class="regions">${runs.map(({ one, i, j, length }) => html`<rect class=${`c${one}`} x=${x(i)} y=${y(j)} width=${length * wide} height=${high} />`)}
    <path class="border" d=${border} />
    ${widest.map(({ one, i, j, length }) => one >= 0 && html`<text x=${x(i + length / 2)} y=${y(j) + 6}>${one}</text>`)}</g>`;
}

// Returns about three round numbers between two.
function ticks(from, to) {
  const step = 10 ** Math.floor(Math.log10(to - from));
  const by = [2, 1, 0.5, 0.2].map((part) => part * step).find((one) => (to - from) / one >= 2.5) ?? step;
  const first = Math.ceil(from / by);
  return Array.from({ length: Math.floor(to / by) - first + 1 }, (_, i) => Number(((first + i) * by).toPrecision(6)));
}
