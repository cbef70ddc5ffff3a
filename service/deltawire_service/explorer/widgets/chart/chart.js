// Draws curves as SVG, linear or on a log scale, with a cursor that tells their numbers.
import { html, useLayoutEffect, useMemo, useRef, useState } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { nearest, pathOf } from "./line.js";
import { extentOf, padded, scaleOf, ticksOf } from "./scale.js";

const WIDE = 150; // pixels, at least
const MARKED = 40; // points of a curve, up to which each is marked
const APART = 16; // pixels between two marks, at least
const ROW = 13; // pixels of a line of ticks
const MARGIN = { top: 8, right: 18, bottom: 22, left: 52 };
const LETTER = 5.4; // pixels of a letter of a slanted name
const LONGEST = 12; // letters of a name at a tick
const JUMP = 20; // places of the cursor by Page Up and Page Down, of the whole axis

// `series`: [{label, tone, dash, x, y, smooth}], where y is null at gaps, `tone` is a class of chart.css, and `smooth` is a
// curve {x, y} to draw instead, before a faint curve of y.
// `names`: labels of x = 0, 1, …. `xLabel`: what x counts. `at`, `setAt`: the place of the cursor, shared by several charts.
// `frame`: {x, y}, the extents of the axes; by default those of the curves.
// `choose`: called with a place that is clicked, or on which Enter is pressed. `chosen`: such a place.
export function Chart({ title, series, log, names, height = 150, xLabel, frame, at, setAt, choose, chosen }) {
  const element = useRef();
  const [width, tall] = useSize(element);
  const [own, setOwn] = useState(null);
  const [place, move] = setAt ? [at, setAt] : [own, setOwn];
  const drawn = useMemo(() => (width ? drawingOf({ series, log, names, frame, width, tall }) : null),
    [width, tall, log, JSON.stringify([names, frame]), ...series.flatMap(({ x, y, smooth }) => [x, y, y.length, x.at(-1), smooth])]);
  const cursor = drawn && place !== null && drawn.inside(place) ? place : null;
  const read = cursor === null ? [] : series.map(({ x, y }) => {
    const index = cursor < x[0] || cursor > x.at(-1) ? -1 : nearest(x, cursor); // nothing is known beyond its ends
    return index < 0 || typeof y[index] !== "number" ? "" : precise(y[index]);
  });
  const count = cursor === null ? "" : `${xLabel ?? ""} ${names?.[cursor] ?? precise(cursor, 9)}`.trim();
  const spoken = [count, ...series.map(({ label }, i) => `${label} ${read[i] ?? ""}`)].join(", ");
  const point = (event) => drawn?.placeAt(event.clientX - element.current.getBoundingClientRect().left);
  const press = (event) => {
    const to = drawn?.moved(cursor, event.key);
    if (to !== undefined) move(to);
    else if (event.key === "Escape") move(null);
    else if (event.key === "Enter" && cursor !== null) choose?.(cursor);
    else return;
    event.preventDefault();
    event.stopPropagation(); // arrow keys mean something else to the page
  };
  return html`<figure class="chart">
    <figcaption>${title} <span class="at" aria-hidden="true">${count}${series.length === 1 && read[0] ? `: ${read[0]}` : ""}</span></figcaption>
    <div class="plot" ref=${element} style=${{ minHeight: `${height}px` }} tabindex="0" role="slider" aria-label=${title}
      aria-valuemin=${drawn?.low ?? 0} aria-valuemax=${drawn?.high ?? 0} aria-valuenow=${cursor ?? drawn?.low ?? 0} aria-valuetext=${spoken}
      onKeyDown=${press} onPointerMove=${(event) => drawn && move(point(event))} onPointerLeave=${() => move(null)}
      onClick=${choose && drawn && ((event) => { const to = point(event); if (to !== null) choose(to); })}>
      ${drawn && html`<svg width=${width} height=${tall} aria-hidden="true" class=${choose ? "chooses" : ""}>
        <${Axes} ...${{ drawn, xLabel }} />
        ${chosen !== null && chosen !== undefined && drawn.inside(chosen) && html`<line class="chosen" x1=${drawn.toX(chosen)} x2=${drawn.toX(chosen)} y1=${drawn.top} y2=${drawn.bottom} />`}
        ${drawn.lines.map(({ faint }, i) => faint && html`<g class=${`line faint ${series[i].tone}`}><path d=${faint} /></g>`)}
        ${drawn.lines.map(({ path, marks }, i) => html`<g class=${`line ${series[i].tone}`}>
          <path d=${path} stroke-dasharray=${(series[i].dash ?? []).join(" ")} />
          ${marks.map(([x, y]) => html`<circle cx=${x} cy=${y} r="3" />`)}</g>`)}
        ${cursor !== null && html`<line class="cursor" x1=${drawn.toX(cursor)} x2=${drawn.toX(cursor)} y1=${drawn.top} y2=${drawn.bottom} />`}
      </svg>`}
    </div>
    ${series.length > 1 && html`<ul class="key">${series.map(({ label, tone, dash }, i) => html`<li>
      <svg width="22" height="8" aria-hidden="true"><g class=${`line ${tone}`}><path d="M0 4H22" stroke-dasharray=${(dash ?? []).join(" ")} /></g></svg>
      ${label} <b>${read[i] ?? ""}</b></li>`)}</ul>`}
  </figure>`;
}

function Axes({ xLabel, drawn: { left, right, bottom, toX, toY, xTicks, yTicks, nameOf, slanted } }) {
  return html`<g class="axes">
    ${yTicks.map((tick) => html`<line x1=${left} x2=${right} y1=${toY(tick)} y2=${toY(tick)} />
      <text class="end" x=${left - 6} y=${toY(tick) + 4}>${tickText(tick)}</text>`)}
    ${xTicks.map((tick) => html`<line x1=${toX(tick)} x2=${toX(tick)} y1=${bottom} y2=${bottom + 4} />
      <text class=${slanted ? "end" : "middle"} x=${toX(tick)} y=${bottom + (slanted ? 10 : 16)}
        transform=${slanted ? `rotate(-45 ${toX(tick)} ${bottom + 10})` : null}>${nameOf(tick)}</text>`)}
    ${xLabel && html`<text class="end label" x=${left - 6} y=${bottom + 16}>${xLabel}</text>`}
    <line class="base" x1=${left} x2=${right} y1=${bottom} y2=${bottom} /></g>`;
}

// Returns all that is drawn within a size, and the functions that find the places of the cursor.
function drawingOf({ series, log, names, frame, width, tall }) {
  const longest = Math.max(0, ...(names ?? []).map((name) => Math.min(name.length, LONGEST)));
  const [left, right, top] = [MARGIN.left, width - MARGIN.right, MARGIN.top];
  const slanted = Boolean(names) && longest * names.length * (LETTER + 1) > right - left;
  const bottom = tall - (slanted ? 14 + 0.75 * LETTER * longest : MARGIN.bottom);
  const [low, high] = frame?.x ?? extentOf(series.map(({ x }) => x)) ?? [0, 1];
  const limits = padded(frame?.y ?? extentOf(series.map(({ y }) => y), log) ?? [1, 1], log);
  const inset = names ? 8 : 0;
  const toX = scaleOf([low, high], [left + inset, right - inset]);
  const toY = scaleOf(limits, [bottom, top], log);
  const most = Math.max(3, Math.floor((right - left) / 64));
  const every = Math.max(1, Math.ceil(((names?.length ?? 0) * (slanted ? ROW : 1)) / (right - left)));
  const places = series.reduce((longestX, { x }) => (x.length > longestX.length ? x : longestX), []);
  const inside = (place) => place >= low && place <= high;
  return {
    left, right, top, bottom, low, high, toX, toY, slanted, inside,
    xTicks: names ? names.map((_, i) => i).filter((i) => (names.length - 1 - i) % every === 0) : ticksOf([low, high], most, { whole: true }),
    yTicks: ticksOf(limits, Math.max(3, Math.floor((bottom - top) / (1.8 * ROW))), { log }),
    nameOf: (tick) => (names ? cut(names[tick]) : tick >= 1e6 ? tickText(tick) : String(tick)),
    lines: series.map(({ x, y, smooth }) => ({ 
      path: smooth ? pathOf(smooth.x, smooth.y, toX, toY) : pathOf(x, y, toX, toY), faint: smooth && pathOf(x, y, toX, toY),
      marks: x.length < MARKED && toX(x.at(-1)) - toX(x[0]) >= APART * (x.length - 1) ? marksOf(x, y, toX, toY) : [],
    })),
    placeAt: (pixel) => {
      const index = nearest(places, low + ((pixel - toX(low)) / (toX(high) - toX(low) || 1)) * (high - low));
      return index < 0 ? null : places[index];
    },
    moved: (cursor, key) => {
      const last = places.length - 1;
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -Math.ceil(last / JUMP), PageUp: Math.ceil(last / JUMP), Home: -Infinity, End: Infinity }[key];
      if (steps === undefined || last < 0) return undefined;
      const from = cursor === null ? (steps > 0 ? -1 : last + 1) : nearest(places, cursor);
      return places[Math.max(0, Math.min(last, from + steps))];
    },
  };
}

// Ticks are round: a power of ten alone needs no 1 before it.
const tickText = (tick) => precise(tick, 3).replace(/^(−?)1·/, "$1");

const cut = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

const marksOf = (x, y, toX, toY) => x.flatMap((one, i) => (y[i] !== null && Number.isFinite(toY(y[i])) ? [[toX(one), toY(y[i])]] : []));

// Follows the size of an element: [0, 0] before it is known.
function useSize(element) {
  const [size, setSize] = useState([0, 0]);
  useLayoutEffect(() => {
    const measure = () => setSize([Math.max(WIDE, element.current.clientWidth), element.current.clientHeight]);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return size;
}
