// Curves where people would rather look: norms over depth, saliency.
import { linesOf } from "./depth.js";
import { html, useLayoutEffect, useRef } from "../core/dom.js";
import { HeatMap } from "../widgets/heat.js";
import { arrivals, summary } from "../core/model.js";
import { flat, norm, raised, short } from "../core/numbers.js";

const tenTo = (power) => (power === 0 ? "1" : Number.isInteger(power) ? `10${raised(power)}` : short(10 ** power));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WIDE = 150; // at least
const CURVES = 40; // points up to which each is marked
const LONGEST = 12, TICKS = 18; // letters of a name at a tick, and ticks

// series: [{label, tone, dash, numbers}] over x; `names` label the ticks of x when given; `log`: powers of ten.
export function Curves({ title, x, series, log, names, height = 150, theme }) {
  const place = useRef();
  const plot = useRef();
  const positive = (numbers) => (log ? numbers.map((number) => (number > 0 ? Math.log10(number) : null)) : numbers);
  const data = [x, ...series.map((one) => positive(one.numbers))];
  const size = () => { // as wide as its place, and as high, where that has a height of its own
    const around = plot.current ? plot.current.root.offsetHeight - plot.current.height : Infinity;
    return { width: Math.max(WIDE, place.current.clientWidth), height: Math.max(height, place.current.clientHeight - around) };
  };
  useLayoutEffect(() => {
    plot.current = null;
    plot.current = new globalThis.uPlot({ ...options({ title, series, log, names }), ...size() }, data, place.current);
    const watch = new ResizeObserver(() => plot.current.setSize(size()));
    watch.observe(place.current);
    return () => { watch.disconnect(); plot.current.destroy(); };
  }, [JSON.stringify([title, names, series.map((one) => one.label)]), theme]);
  useLayoutEffect(() => plot.current.setData(data), [JSON.stringify(data)]);
  return html`<div class="curves" ref=${place}></div>`;
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
      points: { show: (plot) => plot.data[0].length < CURVES, size: 6 },
    }))],
  };
}

// Of the lines of δ, one after the other, and as the legend writes them; of the gradients.
const DASHES = [["—", []], ["···", [2, 3]], ["–·–", [10, 3, 2, 3]]], DASHED = ["– –", [6, 4]];

// ‖δ‖ by depth, the loss at the right, a line for each branch; and the gradients of the parameters they bring.
function overDepth(model, t) {
  const { names, lines, depth } = linesOf(model);
  const points = (entries) => {
    const numbers = Array(names.length).fill(null);
    entries.forEach(([name, number]) => { numbers[names.length - 1 - depth.get(name)] = number; });
    return numbers;
  };
  const gradient = (name) => {
    const { parameters, tiedTo } = model.places.get(name);
    const own = tiedTo ? [] : parameters.filter((one) => one.share).map((one) => model.gradients[one.name]);
    return own.length ? [[name, norm(own.flatMap(flat))]] : [];
  };
  const series = lines.flatMap(({ joint, nodes }, i) => {
    const branch = [...new Set([nodes.at(-1), nodes[0]])].join(" … ");
    const drawn = (key, tone, [sign, dash], entries) =>
      ({ label: `${sign} ${t(key)}${lines.length > 1 ? `: ${branch}` : ""}`, tone, dash, numbers: points(entries) });
    const deltas = [...(joint === null ? [] : [joint]), ...nodes].map((name) => [name, model.delta.get(name).norm]);
    const gradients = nodes.flatMap(gradient);
    return [drawn("deltaNorm", "--red", DASHES[i % DASHES.length], deltas),
      ...(gradients.length ? [drawn("gradientNorm", "--blue", DASHED, gradients)] : [])];
  });
  return { x: names.map((_, i) => i), names: [...names].reverse(), series };
}

export function Plots({ model, t, theme }) {
  const arrays = [...model.places.values()].filter((place) => !place.kind && place.shape.length);
  const inputs = arrays.filter((place) => place.slot.dtype !== "int64");
  return html`<div class="plots">
    <${Curves} title=${t("normsTitle")} height=${146} log theme=${theme} ...${overDepth(model, t)} />
    ${inputs.map((place) => {
      const { sum } = arrivals(model, place.name, model.last);
      if (!sum?.numbers) return null;
      const absolute = flat(sum.numbers).map(Math.abs);
      return html`<div class="saliency"><${HeatMap} label=${t("saliencySigned", place.name)} traced=${sum} t=${t} />
        <${HeatMap} label=${t("saliencyAbsolute", place.name)} traced=${summary(absolute, place.shape)} t=${t} /></div>`;
    })}
    ${!inputs.length && html`<p class="quiet">${arrays.length ? t("integersOnly", arrays.map(({ name }) => name).join(", ")) : t("noSaliency")}</p>`}
  </div>`;
}
