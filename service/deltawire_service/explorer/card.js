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
  const size = detail ? 14 : Math.min(34, Math.max(14, 8.4 / zoom, Math.min(11 / zoom, fits)));
  const room = Math.floor((width - 6) / (0.58 * size));
  const name = shortened(place.name, room);
  const shown = valueKnown(model, place.name, step) && place.value;
  const came = arrivals(model, place.name, step);
  const classes = ["card", !place.kind && "input", current && "current", current && back && "back", selected && "selected", mark && "marked"];
  const press = (event) => { if (event.key === "Enter") select(place.name); };
  const under = detail ? [place.kind ?? t("input"), times(place.shape)].filter(Boolean).join(" · ") : "";
  const folded = detail && place.parameters.length > 0;
  const checked = badge && detail && !came.missing && came.terms.length > 0;
  const centre = width / 2;
  return html`<g class=${classes.filter(Boolean).join(" ")} data-node=${place.name} transform=${`translate(${left} ${top})`} tabindex="0" role="button"
      aria-label=${`${place.name}, ${place.kind ?? t("input")}`} onClick=${() => select(place.name)} onKeyDown=${press}>
    <rect class="body" y=${side} width=${width} height=${BOX} rx="8" />
    <text class="name" x=${centre} y=${side + (under ? 20 : BOX / 2 + 0.36 * size)} font-size=${size}>${name}</text>
    ${under && html`<text class="kind" x=${centre} y=${side + 37}>${shortened(under, Math.floor(width / 6))}</text>`}
    ${folded && html`<${Folded} ...${{ place, width, side, unfold }} />`}
    ${detail && shown && html`<g class="value" data-value=${place.name}>${above(place.value, width, side, array)}</g>`}
    ${detail && came.terms.length > 0 && html`
      <g class="delta" data-delta=${place.name} transform=${`translate(0 ${side + BOX})`}>${below(came, width, side, array)}</g>`}
    ${mark && html`<g class="mark" transform=${`translate(4 ${side - 3})`}><path d="M0 10 6 -1 12 10z" /><text x="6" y="9">!</text>
      <title>${mark.map((one) => one.text).join("\n")}</title></g>`}
    ${checked && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-badge=${place.name} x=${centre} y=${height + 10}>
      ${sign(badge)}<title>${t("badgeTitle")}</title></text>`}
    <title>${place.name}: ${place.layer?.summary ?? t("input")}</title>
  </g>`;
}

const shortened = (text, room) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);

// The layer's parameters: a click opens them.
function Folded({ place, width, side, unfold }) {
  return html`<g class="folded" data-unfold=${place.name} onClick=${() => unfold(true)}>
    <rect x=${width - 24} y=${side} width="24" height="18" /><text x=${width - 7} y=${side + 13}>▤</text>
    <title>${place.parameters.map((one) => one.name).join(", ")}</title></g>`;
}

function above(traced, width, side, array) {
  if (!array) return html`<text x=${width / 2} y=${side - 6}>${short(traced.numbers)}</text>`;
  return [html`<text class="small" x=${width / 2} y=${side - 5}>‖${short(traced.norm)}‖</text>`,
    html`<${Cells} traced=${traced} x=${0} y=${0} width=${width} height=${side - 18} />`];
}

// "9 + ?" until all have arrived: an unfinished sum must not look like a result.
function below(came, width, side, array) {
  const open = came.missing > 0;
  const { sum } = came;
  if (!array) return html`<text x=${width / 2} y="17">${open ? `${short(sum.numbers)} + ?` : `δ ${short(sum.numbers)}`}</text>`;
  const norm = sum ? `‖${short(sum.norm)}‖` : "";
  return [html`<text class="small" x=${width / 2} y="14">${open ? `${norm || "δ"} + ?` : `δ ${norm}`}</text>`,
    sum && html`<${Cells} traced=${sum} x=${0} y=${18} width=${width} height=${side - 20} />`];
}
