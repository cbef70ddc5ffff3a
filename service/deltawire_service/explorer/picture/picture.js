// Draws the network as SVG, on the page and in files: its edges, its cards, and what each edge sends back.
import { html, useMemo, useRef } from "../core/dom.js";
import { badgeOfPlace } from "../core/gradient_check.js";
import { arrivedCount, edgeKnown, edgeSent, isBackward, nodeAt, valueKnown } from "../core/steps.js";
import { Card } from "./card.js";
import { EdgeButton, EdgeHeads, EdgeLine } from "./edge.js";
import { DETAIL } from "./fit.js";
import { scaleOf } from "./norm_bar.js";

/** @import { Model } from "../core/model.js" */

// `before`: the model before a change of numbers, or null. `highlighted`: the id of an edge. `whole`: cut no name short, as in a file.
/** @param {{ model: Model, step: number, select: (name: string) => void, warnings: Map<string, any[]>, badges: Map<string, any>, t: Translate, zoom: number, [other: string]: any }} props */
export function Picture({ model, before, drawing, step, selected, select, unfold, warnings, badges, highlighted, highlight, t, zoom, whole }) {
  const current = nodeAt(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const sent = (edge) => edgeSent(model, edge, step);
  const detail = zoom >= DETAIL;
  const strong = model.edges.find((edge) => edge.id === highlighted);
  const scale = useMemo(() => scaleOf(model), [model]);
  const common = { model, before, scale, step, t, zoom, detail, whole, select, unfold, down: drawing.down, back: isBackward(model, step) };
  const kept = useKept([model, before, drawing, t, zoom, whole]);
  const line = (edge) => kept(`line ${edge.id}`, [sent(edge), edge.to === current], () => html`<${EdgeLine} key=${edge.id} edge=${edge}
    route=${drawing.edges.get(edge.id)} sent=${sent(edge)} known=${known(edge)} active=${edge.to === current} />`);
  const card = (place) => {
    const { name } = place;
    const own = {
      current: name === current, back: common.back && name === current, selected: name === selected,
      joined: strong && (name === strong.from || name === strong.to), warnings: warnings.get(name), badge: badgeOfPlace(badges, name),
    };
    const texts = place.layer?.translation; // it comes after the page has changed its language
    return kept(`card ${name}`, [...Object.values(own), texts, valueKnown(model, name, step), arrivedCount(model, name, step)], () => html`
      <${Card} key=${name} ...${{ ...common, ...own, place }} box=${drawing.nodes.get(name)} />`);
  };
  const button = (edge) => {
    const own = { known: known(edge), sent: sent(edge), active: edge.to === current, highlighted: edge === strong, badge: badges.get(`edges/${edge.id}`) };
    return kept(`button ${edge.id}`, Object.values(own), () => html`
      <${EdgeButton} key=${`button ${edge.id}`} ...${{ ...own, edge, zoom, detail, highlight, t }} route=${drawing.edges.get(edge.id)} />`);
  };
  return html`<${EdgeHeads} />
    <g class=${strong ? "highlighted" : ""}>${model.edges.map(line)}</g>
    ${[...model.places.values()].map(card)}
    ${model.edges.map(button)}`;
}

// Returns what draws an element only when something it shows has changed: most of a picture stays as it is in a step.
// `all`: what every element depends on.
function useKept(all) {
  const cache = useRef({ all: [], elements: new Map() });
  const same = (one, other) => one.length === other.length && one.every((value, i) => value === other[i]);
  if (!same(cache.current.all, all)) cache.current = { all, elements: new Map() };
  return (key, shown, draw) => {
    const old = cache.current.elements.get(key);
    if (old && same(old.shown, shown)) return old.element;
    const element = draw();
    cache.current.elements.set(key, { shown, element });
    return element;
  };
}
