// Draws the network as SVG, on the page and in files: its edges, its cards, and what each edge sends back.
import { html, useMemo } from "../core/dom.js";
import { badgeOfPlace } from "../core/gradient_check.js";
import { edgeKnown, isBackward, nodeAt } from "../core/steps.js";
import { Card } from "./card.js";
import { EdgeButton, EdgeHeads, EdgeLine } from "./edge.js";
import { DETAIL } from "./fit.js";
import { scaleOf } from "./norm_bar.js";

/** @import { Model } from "../core/model.js" */

// `highlighted`: the id of an edge. `whole`: cut no name short, as in a file.
/** @param {{ model: Model, step: number, select: (name: string) => void, warnings: Map<string, any[]>, badges: Map<string, any>, t: Translate, zoom: number, [other: string]: any }} props */
export function Picture({ model, drawing, step, selected, select, unfold, warnings, badges, highlighted, highlight, t, zoom, whole }) {
  const current = nodeAt(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const detail = zoom >= DETAIL;
  const strong = model.edges.find((edge) => edge.id === highlighted);
  const scale = useMemo(() => scaleOf(model), [model]);
  const common = { model, scale, step, t, zoom, detail, whole, select, unfold, down: drawing.down, back: isBackward(model, step) };
  return html`<${EdgeHeads} />
    <g class=${strong ? "highlighted" : ""}>${model.edges.map((edge) => html`<${EdgeLine} key=${edge.id} edge=${edge}
      route=${drawing.edges.get(edge.id)} known=${known(edge)} active=${edge.to === current} />`)}</g>
    ${[...model.places.values()].map((place) => html`<${Card} key=${place.name} ...${{ ...common, place }} box=${drawing.nodes.get(place.name)}
      current=${place.name === current} selected=${place.name === selected}
      joined=${strong && (place.name === strong.from || place.name === strong.to)} warnings=${warnings.get(place.name)} badge=${badgeOfPlace(badges, place.name)} />`)}
    ${model.edges.map((edge) => html`<${EdgeButton} key=${`button ${edge.id}`} ...${{ edge, zoom, detail, highlight, t }} known=${known(edge)}
      highlighted=${edge === strong} route=${drawing.edges.get(edge.id)} badge=${badges.get(`edges/${edge.id}`)} />`)}`;
}
