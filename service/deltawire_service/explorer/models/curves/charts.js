// Draws the curves of the chosen models and runs, together in one chart, or each in its own with the same axes.
import { html, useMemo, useState } from "../../core/dom.js";
import { Chart } from "../../widgets/chart/chart.js";
import { smoothed } from "../../widgets/chart/line.js";
import { extentOf } from "../../widgets/chart/scale.js";

const DASHED = [5, 4]; // validation

const PART = 50; // of a curve: the width of the mean that smooths it
const NOISY = 100; // points, from which on a curve is smoothed

const lineOf = ({ label, x }, y, tone, smooth) => ({ label, tone, x, y, smooth: smooth && y.length >= NOISY ? smoothed(x, y, y.length / PART) : null });

const lossOf = (curve, tone, smooth, t) => [lineOf(curve, curve.loss, tone, smooth),
  ...(curve.validation.x.length ? [{ label: `${curve.label}, ${t("validation")}`, tone, dash: DASHED, ...curve.validation }] : [])];

const normOf = (curve, tone, smooth) => [lineOf(curve, curve.norm, tone, smooth)];

// `curves`: [[curve, tone]]. `chosen`, `choose`: the place whose version is told.
export function Charts({ curves, log, smooth, apart, chosen, choose, t }) {
  const [at, setAt] = useState(null);
  const xLabel = t(curves.every(([curve]) => curve.counts === "version") ? "version" : "step");
  const charts = useMemo(() => [[t("loss"), 280, lossOf], [t("modelGradientNorm"), 190, normOf]].flatMap(([title, height, seriesOf]) => {
    const lines = curves.map(([curve, tone]) => seriesOf(curve, tone, smooth, t));
    const all = lines.flat();
    const frame = apart ? { x: extentOf(all.map(({ x }) => x)), y: extentOf(all.map(({ y }) => y), log) } : null;
    return (apart ? lines : [all]).map((series) => ({ title: apart ? `${series[0].label}: ${title}` : title, height, series, frame }));
  }), [log, smooth, apart, t, ...curves.flatMap(([curve, tone]) => [curve, tone, curve.read, curve.x])]); // the cursor moves without it
  return html`<div class="charts" style=${{ gridTemplateColumns: `repeat(${apart ? curves.length : 1}, minmax(0, 1fr))` }}>
    ${charts.map((chart) => html`<${Chart} ...${{ ...chart, log, xLabel, at, setAt, chosen, choose }} />`)}</div>`;
}
