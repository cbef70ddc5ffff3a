// What the signs in the picture mean: on the page, as near as it is, and below an exported picture.
import { scaleOf } from "./bar.js";
import { html, useMemo } from "../core/dom.js";
import { isBackward } from "../core/model.js";
import { short } from "../core/numbers.js";

const ENTRIES = [["above", "green"], ["below", "red"], ["onEdges", "red"], ["normKey", ""]];

// The name of the loss, where it is one node, and short: what δ is the derivative of.
function lossOf(model) {
  const [loss, ...others] = [...(model?.places.values() ?? [])].filter((place) => place.weight);
  return loss && !others.length && loss.name.length <= 6 ? loss.name : undefined;
}

// Both keys keep their room, the one that is not shown too: else the picture would change its size with them.
export function Key({ model, step, near, t }) {
  const scale = useMemo(() => model && scaleOf(model), [model]);
  return html`<div class="key">
    <p class=${near ? "" : "away"}>${ENTRIES.map(([key, tone]) => html`<span class=${tone}>${t(key, lossOf(model))}</span>`)}
      <span>${t("cells")} − <i class="bar"></i> +</span></p>
    <p class=${near ? "away" : ""}>${scale && isBackward(model, step) && html`<span class="red">${t("bars", short(scale.low), short(scale.high))}</span>`}
      <span>${t("closer")}</span></p>
  </div>`;
}

// As SVG, from (0, y) downwards; there is room to say the colours in words.
export function written(model, t, y) {
  const place = (name, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.textContent = text;
    return element;
  };
  const group = place("g", { class: "legend" });
  const lines = ENTRIES.map(([key]) => t(key, lossOf(model)));
  lines.forEach((line, i) => group.append(place("text", { class: "legend-text", x: 0, y: y + 18 * i }, line)));
  ["h-9", "h-5", "h0", "h5", "h9"].forEach((shade, i) =>
    group.append(place("rect", { class: shade, x: 14 + 10 * i, y: y + 18 * lines.length - 10, width: 10, height: 10 })));
  group.append(place("text", { class: "legend-text", x: 0, y: y + 18 * lines.length }, "−"));
  group.append(place("text", { class: "legend-text", x: 68, y: y + 18 * lines.length }, `+ ${t("colours")}`));
  return group;
}

export const HEIGHT = 18 * (ENTRIES.length + 1);
