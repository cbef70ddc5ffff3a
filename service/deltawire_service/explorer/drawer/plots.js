// Plots the norms of deltas and gradients over depth, and the saliency of inputs.
import { flat, norm, summary } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { arrivals } from "../core/steps.js";
import { Chart } from "../widgets/chart/chart.js";
import { HeatMap } from "../widgets/heat_map.js";
import { linesOf } from "./depth.js";

/** @import { Model } from "../core/model.js" */

// The dashes of the lines of δ, and those of the gradients.
const DASHES = [[], [2, 3], [10, 3, 2, 3]], DASHED = [6, 4];

// Returns the curves: ‖δ‖ by depth with the loss at the right, a line for each branch, and the norms of the gradients.
/** @param {Model} model @param {Translate} t */
function overDepth(model, t) {
  const { names, lines, depth } = linesOf(model);
  const points = (entries) => {
    const numbers = Array(names.length).fill(null);
    entries.forEach(([name, number]) => { numbers[names.length - 1 - depth.get(name)] = number; });
    return numbers;
  };
  const gradient = (name) => {
    const { parameters, tiedTo } = model.places.get(name);
    const own = tiedTo ? [] : parameters.filter((one) => one.contribution).map((one) => model.gradients[one.name]);
    return own.length ? [[name, norm(own.flatMap(flat))]] : [];
  };
  const series = lines.flatMap(({ joint, nodes }, i) => {
    const branch = [...new Set([nodes.at(-1), nodes[0]])].join(" … ");
    const drawn = (key, tone, dash, entries) =>
      ({ label: `${t(key)}${lines.length > 1 ? `: ${branch}` : ""}`, tone, dash, y: points(entries) });
    const deltas = [...(joint === null ? [] : [joint]), ...nodes].map((name) => [name, model.delta.get(name).norm]);
    const gradients = nodes.flatMap(gradient);
    return [drawn("deltaNorm", "red", DASHES[i % DASHES.length], deltas),
      ...(gradients.length ? [drawn("gradientNorm", "blue", DASHED, gradients)] : [])];
  });
  const x = names.map((_, i) => i);
  return { names: [...names].reverse(), series: series.map((one) => ({ ...one, x })) };
}

/** @param {{ model: Model, t: Translate, [other: string]: any }} props */
export function Plots({ model, t }) {
  const arrays = [...model.places.values()].filter((place) => !place.kind && !place.spec.parameter && !place.spec.noise && place.shape.length);
  const inputs = arrays.filter((place) => place.spec.dtype !== "int64");
  return html`<div class="plots">
    <div class="curves"><${Chart} title=${t("normsTitle")} height=${110} log ...${overDepth(model, t)} /></div>
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
