// A path between two places: what it sends back; a click or Enter makes it stand out from end to end.
import { sign } from "../core/badges.js";
import { html } from "../core/dom.js";
import { sized, widthOf } from "./fit.js";
import { brief, short } from "../core/numbers.js";

const ROOM = 76; // between two columns, less the arrow

export function Path({ edge, drawn, known, followed, detail, zoom, trace, badge, t }) {
  const toggle = () => trace?.(followed ? null : edge.id);
  const press = (event) => {
    if (event.key === "Enter") toggle();
    if (event.key === "Escape") trace?.(null);
  };
  const title = t("edgeTitle", edge.to, edge.from);
  const written = detail && known;
  return html`<g class="path" data-path=${edge.id} role="button" aria-label=${`${edge.from} → ${edge.to}`} aria-pressed=${Boolean(followed)}
      tabindex=${written ? 0 : -1} onClick=${toggle} onKeyDown=${press}>
    ${followed && html`<path class=${`strong ${known ? "back" : ""}`} d=${drawn.path} />`}
    <path class="touch" d=${drawn.path} stroke-width=${Math.max(8, 10 / zoom)}><title>${edge.from} → ${edge.to}</title></path>
    ${written && html`<${Label} ...${{ edge, zoom, badge, title }} place=${drawn.label} />`}</g>`;
}

function Label({ edge, place, badge, zoom, title }) {
  const size = sized(13, zoom);
  const scalar = edge.delta.shape.length === 0;
  const number = scalar ? edge.delta.numbers : edge.delta.norm;
  const all = scalar ? short(number) : `‖${short(number)}‖`;
  const text = widthOf(all, size) > ROOM ? brief(number) : all; // a long one would hide the arrow
  const below = badge ? sized(11, zoom) + 3 : 0;
  const width = Math.max(widthOf(text, size), badge ? widthOf(sign(badge), below - 3) : 0) + 8;
  return html`<g class="edge-label" data-edge-gradient=${`${edge.to}→${edge.from}`} transform=${`translate(${place.x} ${place.y})`}>
    <rect x=${-width / 2} y=${-size / 2 - 3} width=${width} height=${size + 6 + below} rx="5" /><text y=${0.37 * size} font-size=${size}>${text}</text>
    ${badge && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-edge-badge=${edge.id} y=${size / 2 + below - 2} font-size=${below - 3}>${sign(badge)}</text>`}
    <title>${title}: ${scalar ? String(number) : `‖δ‖ = ${number}`}</title></g>`;
}
