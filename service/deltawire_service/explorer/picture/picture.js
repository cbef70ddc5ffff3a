// The network as SVG: edges, cards, and what each path sends back. On the page, and in files.
import { ofPlace } from "../core/badges.js";
import { scaleOf } from "./bar.js";
import { Card } from "./card.js";
import { html, useMemo } from "../core/dom.js";
import { DETAIL } from "./fit.js";
import { edgeKnown, isBackward, nodeAt } from "../core/model.js";
import { Path } from "./path.js";

// `whole`: as in a file, where no name is cut short.
export function Picture({ model, drawing, step, selected, select, unfold, marks, badges, traced, trace, t, zoom, whole }) {
  const current = nodeAt(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const detail = zoom >= DETAIL;
  const followed = model.edges.find((edge) => edge.id === traced);
  const scale = useMemo(() => scaleOf(model), [model]);
  const common = { model, scale, step, t, zoom, detail, whole, select, unfold, down: drawing.down, back: isBackward(model, step) };
  return html`<defs>
      <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto">
        <path d="M0 .8 7 4 0 7.2z" class="head" /></marker>
      <marker id="head-back" viewBox="0 0 8 8" refX="1" refY="4" markerUnits="userSpaceOnUse" markerWidth="13" markerHeight="13" orient="auto">
        <path d="M8 .8 1 4 8 7.2z" class="head back" /></marker>
    </defs>
    <g class=${followed ? "followed" : ""}>${model.edges.map((edge) => {
      const { path, jump } = drawing.edges.get(edge.id);
      const tone = known(edge) ? "back" : "";
      return html`<path key=${edge.id} data-edge=${edge.id} d=${path} class=${`edge ${tone} ${jump ? "jump" : ""} ${edge.to === current ? "active" : ""}`}
        marker-end=${tone ? null : "url(#head)"} marker-start=${tone ? "url(#head-back)" : null} />`;
    })}</g>
    ${[...model.places.values()].map((place) => html`<${Card} key=${place.name} ...${{ ...common, place }} box=${drawing.nodes.get(place.name)}
      current=${place.name === current} selected=${place.name === selected}
      joined=${followed && (place.name === followed.from || place.name === followed.to)} mark=${marks.get(place.name)} badge=${ofPlace(badges, place.name)} />`)}
    ${model.edges.map((edge) => html`<${Path} key=${`path ${edge.id}`} ...${{ edge, zoom, detail, trace, t }} known=${known(edge)} followed=${edge === followed}
      drawn=${drawing.edges.get(edge.id)} badge=${badges.get(`edges/${edge.id}`)} />`)}`;
}
