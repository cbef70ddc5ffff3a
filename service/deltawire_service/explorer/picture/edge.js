// Draws an edge of the network: its line, and over the cards what it sends back.
import { html } from "../core/dom.js";
import { brief, precise, short } from "../core/numbers.js";
import { badgeClass, badgeText } from "../widgets/badge.js";
import { fontSize, widthOf } from "./fit.js";

/** @import { Edge } from "../core/model.js" */

const [THIN, THICK] = [1.2, 4.2]; // units: an edge with no share of what arrives, and one with all of it
const ROOM = 76; // units between two columns, without the arrow

// The arrow heads that the lines end with.
export function EdgeHeads() {
  return html`<defs>
      <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto">
        <path d="M0 .8 7 4 0 7.2z" class="head" /></marker>
      <marker id="head-back" viewBox="0 0 8 8" refX="1" refY="4" markerUnits="userSpaceOnUse" markerWidth="13" markerHeight="13" orient="auto">
        <path d="M8 .8 1 4 8 7.2z" class="head back" /></marker>
    </defs>`;
}

// `route`: {path, jump, label}, from the layout. `sent`: its delta was sent; `known`: and is not hidden. `active`: its consumer is the current node.
/** @param {{ edge: Edge, [other: string]: any }} props */
export function EdgeLine({ edge, route: { path, jump }, sent, known, active }) {
  const classes = ["edge", sent && "back", jump && "jump", active && "active"].filter(Boolean).join(" ");
  const width = known && edge.share !== null ? `stroke-width: ${(THIN + (THICK - THIN) * edge.share).toFixed(2)}` : null;
  return html`<path data-edge=${edge.id} d=${path} class=${classes} style=${width}
    marker-end=${sent ? null : "url(#head)"} marker-start=${sent ? "url(#head-back)" : null} />`;
}

// What can be clicked: a click or Enter highlights the edge from end to end.
/** @param {{ edge: Edge, zoom: number, t: Translate, [other: string]: any }} props */
export function EdgeButton({ edge, route, sent, known, active, highlighted, detail, zoom, highlight, badge, t }) {
  const toggle = () => highlight?.(highlighted ? null : edge.id);
  const press = (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(); }
    if (event.key === "Escape") highlight?.(null);
  };
  const click = (event) => { // keys go on from here
    event.currentTarget.querySelector(".touch").focus({ preventScroll: true });
    toggle();
  };
  const title = t("edgeTitle", edge.to, edge.from) + (edge.twin === null ? "" : ` (${t("asInput", edge.twin)})`);
  const spoken = `${edge.from} → ${edge.to}${edge.mark}${sent ? `, δ ${!known ? "?" : edge.delta.shape.length ? `‖${short(edge.delta.norm)}‖` : short(edge.delta.numbers)}` : ""}${badge ? `, ${badgeText(badge)}` : ""}`;
  const part = known && edge.share !== null && edge.share < 1 ? `, ${t("share", precise(100 * edge.share, 2), edge.from)}` : "";
  const written = detail && sent;
  return html`<g class="edge-button" data-edge-button=${edge.id} onClick=${click}>
    ${highlighted && html`<path class=${`strong ${sent ? "back" : ""}`} d=${route.path} />`}
    <path class="touch" role="button" aria-label=${spoken + part} aria-pressed=${Boolean(highlighted)} tabindex=${written ? 0 : -1} onKeyDown=${press}
      d=${route.path} stroke-width=${Math.max(8, 10 / zoom)}><title>${edge.from} → ${edge.to}${edge.mark}${edge.role ? ` (${edge.role})` : ""}${part}</title></path>
    ${written && html`<${Label} ...${{ edge, known, active, zoom, badge, title, part }} centre=${route.label} />`}</g>`;
}

/** @param {{ edge: Edge, zoom: number, [other: string]: any }} props */
function Label({ edge, known, active, centre, badge, zoom, title, part }) {
  const size = fontSize(13, zoom);
  const scalar = edge.delta.shape.length === 0;
  const number = scalar ? edge.delta.numbers : edge.delta.norm;
  const sign = edge.mark && `${edge.mark} `;
  const all = sign + (!known ? "?" : scalar ? short(number) : `‖${short(number)}‖`);
  const text = widthOf(all, size) > ROOM ? sign + brief(number) : all; // a long one would hide the arrow
  const below = badge ? fontSize(11, zoom) + 3 : 0;
  const width = Math.max(widthOf(text, size), badge ? widthOf(badgeText(badge), below - 3) : 0) + 8;
  return html`<g class=${`edge-label ${active ? "now" : ""}`} aria-hidden="true" data-edge-gradient=${`${edge.to}→${edge.from}`} transform=${`translate(${centre.x} ${centre.y})`}>
    <rect x=${-width / 2} y=${-size / 2 - 3} width=${width} height=${size + 6 + below} rx="5" /><text y=${0.37 * size} font-size=${size}>${text}</text>
    ${badge && html`<text class=${badgeClass(badge)} data-edge-badge=${edge.id} y=${size / 2 + below - 2} font-size=${below - 3}>${badgeText(badge)}</text>`}
    <title>${title}: ${!known ? "?" : scalar ? String(number) : `‖δ‖ = ${number}`}${part}</title></g>`;
}
