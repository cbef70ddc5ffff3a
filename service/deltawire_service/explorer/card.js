// A place in the graph: its name, kind and shape; above, its value; below, what has arrived of its delta.
import { sign } from "./badges.js";
import { html } from "./dom.js";
import { Cells } from "./heat.js";
import { arrivals, valueKnown } from "./model.js";
import { short, times } from "./numbers.js";

const BOX = 46;

export function Card({ place, model, step, box, t, detail, zoom, current, back, selected, mark, badge, select, unfold }) {
  const { width, height } = box;
  const [left, top] = [box.x - width / 2, box.y - height / 2];
  const side = (height - BOX) / 2;
  const array = place.shape.length > 0;
  const fits = (width - 4) / (0.62 * Math.min(place.name.length, 9));
  const size = detail ? 14 : Math.min(34, Math.max(14, 9.5 / zoom, Math.min(11 / zoom, fits)));
  const room = Math.floor((width - 6) / (0.58 * size));
  const name = place.name.length > room ? `${place.name.slice(0, room - 1)}…` : place.name;
  const shown = valueKnown(model, place.name, step) && place.value;
  const came = arrivals(model, place.name, step);
  const classes = ["card", place.kind ? "" : "input", current ? (back ? "current back" : "current") : "", selected ? "selected" : "", mark ? "marked" : ""];
  const press = (event) => { if (event.key === "Enter") select(place.name); };
  const under = detail ? [place.kind ?? t("input"), times(place.shape)].filter(Boolean).join(" · ") : "";
  return html`<g class=${classes.join(" ")} data-node=${place.name} transform=${`translate(${left} ${top})`} tabindex="0" role="button"
      aria-label=${`${place.name}, ${place.kind ?? t("input")}`} onClick=${() => select(place.name)} onKeyDown=${press}>
    <rect class="body" y=${side} width=${width} height=${BOX} rx="8" />
    <text class="name" x=${width / 2} y=${side + (under ? 20 : BOX / 2 + 0.36 * size)} font-size=${size}>${name}</text>
    ${under && html`<text class="kind" x=${width / 2} y=${side + 37}>${under.length * 6 > width ? `${under.slice(0, Math.floor(width / 6) - 1)}…` : under}</text>`}
    ${detail && place.parameters.length > 0 && html`<g class="folded" data-unfold=${place.name} onClick=${() => unfold(true)}>
      <rect x=${width - 24} y=${side} width="24" height="18" /><text x=${width - 7} y=${side + 13}>▤</text><title>${place.parameters.map((one) => one.name).join(", ")}</title></g>`}
    ${detail && shown && html`<g class="value" data-value=${place.name}>${above(place.value, width, side, array)}</g>`}
    ${detail && came.terms.length > 0 && html`<g class="delta" data-delta=${place.name} transform=${`translate(0 ${side + BOX})`}>${below(came, width, side, array, t)}</g>`}
    ${mark && html`<g class="mark" transform=${`translate(4 ${side - 3})`}><path d="M0 10 6 -1 12 10z" /><text x="6" y="9">!</text><title>${mark.map((one) => one.text).join("\n")}</title></g>`}
    ${badge && detail && !came.missing && came.terms.length > 0 && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-badge=${place.name} x=${width / 2} y=${height + 10}>${sign(badge)}<title>${t("badgeTitle")}</title></text>`}
    <title>${place.name}: ${place.layer?.summary ?? t("input")}</title>
  </g>`;
}

function above(traced, width, side, array) {
  if (!array) return html`<text x=${width / 2} y=${side - 6}>${short(traced.numbers)}</text>`;
  return [html`<text class="small" x=${width / 2} y=${side - 5}>‖${short(traced.norm)}‖</text>`,
    html`<${Cells} traced=${traced} x=${0} y=${0} width=${width} height=${side - 18} />`];
}

// "9 + ?" until all have arrived: an unfinished sum must not look like a result.
function below(came, width, side, array, t) {
  const open = came.missing > 0;
  if (!array) return html`<text x=${width / 2} y="17">${open ? `${short(came.sum.numbers)} + ?` : `δ ${short(came.sum.numbers)}`}</text>`;
  if (open) return html`<text class="small" x=${width / 2} y="14">${came.sum ? `‖${short(came.sum.norm)}‖` : "δ"} + ?</text>
    ${came.sum && html`<${Cells} traced=${came.sum} x=${0} y=${18} width=${width} height=${side - 20} />`}`;
  return [html`<text class="small" x=${width / 2} y="14">δ ‖${short(came.sum.norm)}‖</text>`,
    html`<${Cells} traced=${came.sum} x=${0} y=${18} width=${width} height=${side - 20} />`];
}
