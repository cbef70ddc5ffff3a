// The network as SVG: edges, cards, and what each path sends back. On the page, and in files.
import { ofPlace, sign } from "./badges.js";
import { scaleOf } from "./bar.js";
import { Card } from "./card.js";
import { html, useMemo } from "./dom.js";
import { DETAIL, sized } from "./fit.js";
import { edgeKnown, isBackward, nodeAt } from "./model.js";
import { short } from "./numbers.js";

// `whole`: as in a file, where no name is cut short.
export function Picture({ model, drawing, step, selected, select, unfold, marks, badges, t, zoom, whole }) {
  const current = nodeAt(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const detail = zoom >= DETAIL;
  const scale = useMemo(() => scaleOf(model), [model]);
  const common = { model, scale, step, t, zoom, detail, whole, select, unfold, down: drawing.down, back: isBackward(model, step) };
  return html`<defs>
      <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto">
        <path d="M0 .8 7 4 0 7.2z" class="head" /></marker>
      <marker id="head-back" viewBox="0 0 8 8" refX="1" refY="4" markerUnits="userSpaceOnUse" markerWidth="13" markerHeight="13" orient="auto">
        <path d="M8 .8 1 4 8 7.2z" class="head back" /></marker>
    </defs>
    ${model.edges.map((edge) => {
      const { path, jump } = drawing.edges.get(edge.id);
      const tone = known(edge) ? "back" : "";
      return html`<path key=${edge.id} data-edge=${edge.id} d=${path} class=${`edge ${tone} ${jump ? "jump" : ""} ${edge.to === current ? "active" : ""}`}
        marker-end=${tone ? null : "url(#head)"} marker-start=${tone ? "url(#head-back)" : null} />`;
    })}
    ${[...model.places.values()].map((place) => html`<${Card} key=${place.name} ...${{ ...common, place }} box=${drawing.nodes.get(place.name)}
      current=${place.name === current} selected=${place.name === selected} mark=${marks.get(place.name)} badge=${ofPlace(badges, place.name)} />`)}
    ${detail && model.edges.filter(known).map((edge) => html`<${EdgeLabel} key=${`label ${edge.id}`} ...${{ edge, zoom, t }}
      place=${drawing.edges.get(edge.id).label} badge=${badges.get(`edges/${edge.id}`)} />`)}`;
}

// What a path sends back.
function EdgeLabel({ edge, place, badge, zoom, t }) {
  const size = sized(13, zoom);
  const scalar = edge.delta.shape.length === 0;
  const text = scalar ? short(edge.delta.numbers) : `‖${short(edge.delta.norm)}‖`;
  const width = 0.58 * size * text.length + 8;
  return html`<g class="edge-label" data-edge-gradient=${`${edge.to}→${edge.from}`} transform=${`translate(${place.x} ${place.y})`}>
    <rect x=${-width / 2} y=${-size / 2 - 3} width=${width} height=${size + 6} rx="5" /><text y=${0.37 * size} font-size=${size}>${text}</text>
    ${badge && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-edge-badge=${edge.id} y=${1.6 * size} font-size=${sized(11, zoom)}>${sign(badge)}</text>`}
    <title>${t("edgeTitle", edge.to, edge.from)}: ${scalar ? String(edge.delta.numbers) : `‖δ‖ = ${edge.delta.norm}`}</title></g>`;
}
