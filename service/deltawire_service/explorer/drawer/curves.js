// Draws curves with uPlot, linear or on a log scale.
import { html, useLayoutEffect, useRef } from "../core/dom.js";
import { raised, short } from "../core/numbers.js";

const tenTo = (power) => (power === 0 ? "1" : Number.isInteger(power) ? `10${raised(power)}` : short(10 ** power));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WIDE = 150; // pixels, at least
const MARKED = 40; // points of a curve, up to which each is marked
const LONGEST = 12, TICKS = 18; // letters of a name at a tick, and ticks, at most

// `series`: [{label, tone, dash, numbers}] over `x`. `names`: labels of the ticks of x. `log`: powers of ten.
export function Curves({ title, x, series, log, names, height = 150, theme }) {
  const element = useRef();
  const plot = useRef();
  const positive = (numbers) => (log ? numbers.map((number) => (number > 0 ? Math.log10(number) : null)) : numbers);
  const data = [x, ...series.map((one) => positive(one.numbers))];
  const size = () => { // fills its element, but has at least `height`
    const around = plot.current ? plot.current.root.offsetHeight - plot.current.height : Infinity;
    return { width: Math.max(WIDE, element.current.clientWidth), height: Math.max(height, element.current.clientHeight - around) };
  };
  useLayoutEffect(() => {
    plot.current = null;
    plot.current = new globalThis.uPlot({ ...options({ title, series, log, names }), ...size() }, data, element.current);
    const watch = new ResizeObserver(() => plot.current.setSize(size()));
    watch.observe(element.current);
    return () => { watch.disconnect(); plot.current.destroy(); };
  }, [JSON.stringify([title, names, series.map((one) => one.label)]), theme]);
  useLayoutEffect(() => plot.current.setData(data), [JSON.stringify(data)]);
  return html`<div class="curves" ref=${element}></div>`;
}

function options({ title, series, log, names }) {
  const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const shown = names?.map((name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name));
  const every = Math.ceil((names?.length ?? 0) / TICKS);
  const longest = Math.max(0, ...(shown ?? []).map((name) => name.length));
  const steep = names && longest * names.length > 44; // they do not fit side by side
  const named = names && {
    values: (_, ticks) => ticks.map((tick) => shown[tick] ?? ""), rotate: steep ? 45 : 0, size: steep ? 24 + 5 * longest : 36,
    splits: () => names.map((_, i) => i).filter((i) => (names.length - 1 - i) % every === 0),
  };
  return {
    title, cursor: { y: false }, legend: { show: series.length > 1, live: false }, scales: { x: { time: false } },
    axes: [{ ...axis, ...(named ?? { size: 30, space: 32 }) },
      { ...axis, size: 56, space: 18, ...(log ? { incrs: [0.5, 1, 2, 3, 5, 10, 20, 50], values: (_, ticks) => ticks.map(tenTo) } : {}) }],
    series: [{}, ...series.map(({ label, tone, dash }) => ({
      label, stroke: colour(tone), width: 2, spanGaps: true, dash: dash ?? [],
      points: { show: (plot) => plot.data[0].length < MARKED, size: 6 },
    }))],
  };
}
