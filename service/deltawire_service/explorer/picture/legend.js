// Explains the signs in the picture, on the page and below an exported picture.
import { html, useMemo } from "../core/dom.js";
import { short } from "../core/numbers.js";
import { isBackward } from "../core/steps.js";
import { scaleOf } from "./norm_bar.js";

/** @import { Model } from "../core/model.js" */

const ENTRIES = [["above", "green"], ["below", "red"], ["onEdges", "red"], ["norm", ""]];
const LINE = 18; // units between two lines of an exported picture

// The name of the loss that δ is the derivative of, where it is one node with a short name.
/** @param {Model} model */
function lossOf(model) {
  const [loss, ...others] = [...(model?.places.values() ?? [])].filter((place) => place.weight);
  return loss && !others.length && loss.name.length <= 6 ? loss.name : undefined;
}

// One legend for a picture with numbers (`detail`), one for a picture without. The hidden one keeps its room too, so that
// the picture does not change its size with them.
/** @param {{ model: Model, step: number, t: Translate, [other: string]: any }} props */
export function Legend({ model, step, detail, t }) {
  const scale = useMemo(() => model && scaleOf(model), [model]);
  return html`<div class="legend">
    <p class=${detail ? "" : "away"}>${ENTRIES.map(([key, tone]) => html`<span class=${tone}>${t(key, lossOf(model))}</span>`)}
      <span>${t("cells")} − <i class="bar"></i> +</span></p>
    <p class=${detail ? "away" : ""}>${scale && html`<span class=${isBackward(model, step) ? "red" : "away"}>${t("bars", short(scale.low), short(scale.high))}</span>`}
      <span>${t("closer")}</span></p>
  </div>`;
}

// Returns the legend as an SVG group, from (0, y) downwards; there is room to say the colours in words.
/** @param {Model} model @param {Translate} t */
export function exportedLegend(model, t, y) {
  const element = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  };
  const group = element("g", {});
  const lines = ENTRIES.map(([key]) => t(key, lossOf(model)));
  const last = y + LINE * lines.length;
  lines.forEach((line, i) => group.append(element("text", { class: "legend-text", x: 0, y: y + LINE * i }, line)));
  ["h-9", "h-5", "h0", "h5", "h9"].forEach((shade, i) =>
    group.append(element("rect", { class: shade, x: 14 + 10 * i, y: last - 10, width: 10, height: 10 })));
  group.append(element("text", { class: "legend-text", x: 0, y: last }, "−"));
  group.append(element("text", { class: "legend-text", x: 68, y: last }, `+ ${t("colours")}`));
  return group;
}

export const EXPORTED_HEIGHT = LINE * (ENTRIES.length + 1);
