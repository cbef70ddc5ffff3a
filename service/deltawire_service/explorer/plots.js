// Curves where people would rather look: norms over depth, saliency.
import { html, useLayoutEffect, useRef } from "./dom.js";
import { HeatMap } from "./heat.js";
import { arrivals } from "./model.js";
import { flat, norm, raised } from "./numbers.js";

const tenTo = (power) => (power === 0 ? "1" : `10${raised(power)}`);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// series: [{label, tone, numbers}] over x; `names` label the ticks of x when given.
export function Curves({ title, x, series, log, names, height = 190, theme }) {
  const place = useRef();
  useLayoutEffect(() => {
    const axis = { stroke: colour("--text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const options = {
      width: Math.max(220, place.current.clientWidth), height, title, cursor: { y: false }, legend: { live: false },
      scales: { x: { time: false } },
      axes: [{ ...axis, ...(names ? { values: (_, ticks) => ticks.map((tick) => names[tick] ?? ""), rotate: names.length > 6 ? -50 : 0, size: names.length > 6 ? 66 : 40, splits: () => names.map((_, i) => i).filter((i) => i % Math.ceil(names.length / 16) === 0) } : {}) },
        { ...axis, size: 62, ...(log ? { incrs: [1, 2, 3, 5, 10, 20, 50], values: (_, ticks) => ticks.map(tenTo) } : {}) }],
      series: [{}, ...series.map(({ label, tone, dashed }) => ({ label, stroke: colour(tone), width: 2, spanGaps: true, points: { show: x.length < 40, size: 6 }, dash: dashed ? [6, 4] : [] }))],
    };
    const positive = (numbers) => (log ? numbers.map((number) => (number > 0 ? Math.log10(number) : null)) : numbers);
    const plot = new globalThis.uPlot(options, [x, ...series.map((one) => positive(one.numbers))], place.current);
    const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(220, place.current.clientWidth), height }));
    watch.observe(place.current);
    return () => { watch.disconnect(); plot.destroy(); };
  }, [JSON.stringify([title, x, series, names]), theme]);
  return html`<div class="curves" ref=${place}></div>`;
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
    <${Curves} title=${t("normsTitle")} x=${ways.map((_, i) => i)} names=${ways} log theme=${theme}
      series=${[{ label: t("deltaNorm"), tone: "--red", numbers: deltas }, { label: t("gradientNorm"), tone: "--blue", dashed: true, numbers: gradients }]} />
    ${inputs.map((place) => {
      const { sum } = arrivals(model, place.name, model.last);
      if (!sum?.numbers) return null;
      const absolute = flat(sum.numbers).map(Math.abs);
      const largest = Math.max(...absolute);
      return html`<div class="saliency"><${HeatMap} label=${t("saliencySigned", place.name)} traced=${sum} />
        <${HeatMap} label=${t("saliencyAbsolute", place.name)} traced=${{ ...sum, numbers: absolute, shape: place.shape, min: 0, max: largest }} /></div>`;
    })}
    ${!inputs.length && html`<p class="quiet">${t("noSaliency")}</p>`}
  </div>`;
}
