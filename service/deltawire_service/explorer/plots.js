// Curves where people would rather look: norms over depth, saliency.
import { html, useLayoutEffect, useRef } from "./dom.js";
import { HeatMap } from "./heat.js";
import { arrivals, summary } from "./model.js";
import { flat, norm, raised } from "./numbers.js";

const tenTo = (power) => (power === 0 ? "1" : `10${raised(power)}`);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WIDE = 220; // at least
const CURVES = 40; // points up to which each is marked

// series: [{label, tone, numbers}] over x; `names` label the ticks of x when given; `log`: powers of ten.
export function Curves({ title, x, series, log, names, height = 150, theme }) {
  const place = useRef();
  const plot = useRef();
  const positive = (numbers) => (log ? numbers.map((number) => (number > 0 ? Math.log10(number) : null)) : numbers);
  const data = [x, ...series.map((one) => positive(one.numbers))];
  const width = () => Math.max(WIDE, place.current.clientWidth);
  useLayoutEffect(() => {
    plot.current = new globalThis.uPlot(
      { ...options({ title, series, log, names }), width: width(), height }, data, place.current);
    const watch = new ResizeObserver(() => plot.current.setSize({ width: width(), height }));
    watch.observe(place.current);
    return () => { watch.disconnect(); plot.current.destroy(); };
  }, [JSON.stringify([title, names, series.map((one) => one.label)]), theme]);
  useLayoutEffect(() => plot.current.setData(data), [JSON.stringify(data)]);
  return html`<div class="curves" ref=${place}></div>`;
}

function options({ title, series, log, names }) {
  const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const many = names?.length > 6;
  const named = names && {
    values: (_, ticks) => ticks.map((tick) => names[tick] ?? ""), rotate: many ? -50 : 0, size: many ? 66 : 40,
    splits: () => names.map((_, i) => i).filter((i) => i % Math.ceil(names.length / 16) === 0),
  };
  return {
    title, cursor: { y: false }, legend: { show: series.length > 1, live: false }, scales: { x: { time: false } },
    axes: [{ ...axis, ...(named ?? { size: 34 }) },
      { ...axis, size: 56, space: 26, ...(log ? { incrs: [1, 2, 3, 5, 10, 20, 50], values: (_, ticks) => ticks.map(tenTo) } : {}) }],
    series: [{}, ...series.map(({ label, tone, dashed }) => ({
      label, stroke: colour(tone), width: 2, spanGaps: true, dash: dashed ? [6, 4] : [],
      points: { show: (plot) => plot.data[0].length < CURVES, size: 6 },
    }))],
  };
}

export function Plots({ model, t, theme }) {
  const ways = model.backward.filter((name) => model.places.get(name).kind).reverse();
  const deltas = ways.map((name) => model.delta.get(name).norm);
  const gradients = ways.map((name) => {
    const own = model.places.get(name).parameters.filter((one) => one.share).map((one) => model.gradients[one.name]);
    return own.length ? norm(own.flatMap(flat)) : null;
  });
  const inputs = [...model.places.values()].filter((place) => !place.kind && place.shape.length && place.slot.dtype !== "int64");
  return html`<div class="plots">
    <${Curves} title=${t("normsTitle")} x=${ways.map((_, i) => i)} names=${ways} height=${146} log theme=${theme}
      series=${[{ label: t("deltaNorm"), tone: "--red", numbers: deltas },
        { label: t("gradientNorm"), tone: "--blue", dashed: true, numbers: gradients }]} />
    ${inputs.map((place) => {
      const { sum } = arrivals(model, place.name, model.last);
      if (!sum?.numbers) return null;
      const absolute = flat(sum.numbers).map(Math.abs);
      return html`<div class="saliency"><${HeatMap} label=${t("saliencySigned", place.name)} traced=${sum} t=${t} />
        <${HeatMap} label=${t("saliencyAbsolute", place.name)} traced=${summary(absolute, place.shape)} t=${t} /></div>`;
    })}
    ${!inputs.length && html`<p class="quiet">${t("noSaliency")}</p>`}
  </div>`;
}
