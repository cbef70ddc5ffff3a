// Places nodes and edges: dagre ranks and routes them, in the order of the spec; long networks wrap like text.
import dagre from "../../vendor/dagre.js";
import { grouped, sizeOf } from "../../core/arrays.js";
import { DETAIL, READABLE, zoomOf } from "../fit.js";
import { wrapped } from "./wrap.js";

/** @import { Edge, Known, Place } from "../../core/model.js" */

/** @param {Place} place */
const labelSize = (place) => ({ width: place.shape.length ? 82 : 60, height: 18 });

const LETTER = 0.63; // width of a letter, of its height
const LISTED = 8; // integers
const WIDEST = 300; // units of a card

// `letter`: units that a letter needs.
/** @param {{ shape: number[], [other: string]: any }} props */
function boxOf({ name, kind, shape, spec }, letter) {
  const chars = Math.max(name.length, Math.round((kind ?? "input").length * 0.85));
  const integers = spec?.dtype === "int64" && sizeOf(shape) <= LISTED ? 2 * sizeOf(shape) : 0; // a digit and a space
  const needed = letter * Math.max(name.length, (kind ?? "").length, integers) + 8;
  const array = shape.length > 0;
  return { width: Math.min(WIDEST, Math.max(array ? 112 : 66, Math.min(190, 9 * chars + 18), needed)), height: array ? 136 : 88 };
}

// Lays out in the direction chosen. On a narrow screen, where `down` is null, one column, unless rows are drawn larger.
/** @param {{ places: Known<Place>, edges: Edge[], [other: string]: any }} props */
export function drawingOf({ places, edges }, down, narrow, view) {
  const oriented = (vertical) => ({ ...layout(places, edges, vertical, view), down: vertical });
  if (down !== null || !narrow) return oriented(down ?? false);
  const [upright, across] = [oriented(true), oriented(false)];
  return zoomOf(across, view) > 1.04 * zoomOf(upright, view) ? across : upright;
}

// `view`: {width, height, scrolls, type}, `type` times as large a type as to be read nearby.
// Widens the cards for letters that can be read at the zoom of a first drawing, where that draws it hardly smaller.
/** @param {Known<Place>} places @param {Edge[]} edges */
export function layout(places, edges, down, view) {
  let best = laidOut(places, edges, down, view, 0);
  for (let tries = 0; tries < 2; tries += 1) {
    const zoom = zoomOf(best, view) / view.type;
    if (zoom < DETAIL) break; // names alone are drawn, which may lie over edges
    const wide = laidOut(places, edges, down, view, (LETTER * READABLE) / zoom);
    if (zoomOf(wide, view) < 0.9 * zoomOf(best, view)) break;
    best = wide;
  }
  return best;
}

// Returns {nodes: name -> {x, y, width, height}, edges: id -> {path, label, jump}, width, height}; x, y are centres.
/** @param {Known<Place>} places @param {Edge[]} edges */
const laidOut = (places, edges, down, view, letter) => wrapped(ranked(places, edges, down, letter), edges, view, down);

const kept = new WeakMap(); // by the places: the size of the frame changes no ranks

/** @param {Known<Place>} places @param {Edge[]} edges */
function ranked(places, edges, down, letter) {
  const key = `${down} ${letter}`;
  if (!kept.has(places)) kept.set(places, new Map());
  if (!kept.get(places).has(key)) kept.get(places).set(key, bestOf(places, edges, down, letter));
  return kept.get(places).get(key);
}

const LARGE = 100; // places: beyond, the order that costs less is tried first

// Ranks in two ways, and mirrors them, until none of the edges cross and all stands in the order of the spec.
/** @param {Known<Place>} places @param {Edge[]} edges */
function bestOf(places, edges, down, letter) {
  /** @type {any} */
  let best = null;
  for (const plain of places.size > LARGE ? [true, false] : [false, true]) {
    const drawn = run(places, edges, down, plain, letter);
    for (const mirrored of [false, true]) {
      const candidate = mirrored ? mirror(drawn) : drawn;
      const score = [crossings(candidate, edges), disorder(candidate, edges)];
      if (!best || score[0] < best.score[0] || (score[0] === best.score[0] && score[1] < best.score[1])) {
        best = { candidate, score };
      }
    }
    if (best.score.every((one) => one === 0)) break;
  }
  return best.candidate;
}

// Lays out from left to right; for a drawing from top to bottom, `wrapped` swaps x and y at the end.
/** @param {Known<Place>} places @param {Edge[]} edges */
function run(places, edges, down, plain, letter) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 22, edgesep: 14, ranksep: 30, ranker: "network-simplex" });
  for (const [name, place] of places) {
    const { width, height } = boxOf(place, letter);
    graph.setNode(name, down ? { width: height, height: width } : { width, height });
  }
  for (const edge of edges) {
    const label = labelSize(places.get(edge.from));
    graph.setEdge(edge.from, edge.to, { ...(down ? { width: label.height, height: label.width } : label), labelpos: "c" }, edge.id);
  }
  dagre.layout(graph, { disableOptimalOrderHeuristic: plain });
  const nodes = new Map([...places.keys()].map((name) => [name, { ...graph.node(name) }]));
  const routes = new Map(edges.map((edge) => [edge.id, copied(graph.edge(edge.from, edge.to, edge.id))]));
  return { nodes, routes };
}

const copied = ({ points, x, y, width, height }) => ({ points: points.map((point) => ({ ...point })), label: { x, y, width, height } });

function mirror({ nodes, routes }) {
  const flip = (point) => ({ ...point, y: -point.y });
  return {
    nodes: new Map([...nodes].map(([name, node]) => [name, flip(node)])),
    routes: new Map([...routes].map(([id, route]) => [id, { points: route.points.map(flip), label: flip(route.label) }])),
  };
}

// Counts the pairs of a list that a function holds for.
function pairs(list, holds) {
  let count = 0;
  for (let i = 0; i < list.length; i += 1) {
    for (let j = i + 1; j < list.length; j += 1) if (holds(list[i], list[j])) count += 1;
  }
  return count;
}

const total = (groups, count) => [...groups.values()].reduce((sum, group) => sum + count(group), 0);

// Counts the crossings of edges that join the same two ranks.
/** @param {any} drawing @param {Edge[]} edges */
function crossings({ nodes }, edges) {
  const lines = edges.map((edge) => ({ from: nodes.get(edge.from), to: nodes.get(edge.to) }));
  const joining = grouped(lines, ({ from, to }) => `${Math.round(from.x)} ${Math.round(to.x)}`);
  return total(joining, (alike) => pairs(alike, (one, other) => (one.from.y - other.from.y) * (one.to.y - other.to.y) < 0));
}

// Counts what stands in another order than in the spec: the inputs of a node, which weigh more, and other pairs in one rank.
/** @param {any} drawing @param {Edge[]} edges */
function disorder({ nodes }, edges) {
  const into = grouped(edges, (edge) => edge.to);
  const siblings = new Set([...into.values()].flatMap((inputs) => inputs.flatMap(({ from }) => inputs.map((other) => `${from} ${other.from}`))));
  const swapped = (one, other) => nodes.get(one.from).y > nodes.get(other.from).y;
  const ranks = grouped([...nodes].map(([name, { x, y }]) => ({ name, x, y })), ({ x }) => Math.round(x));
  const reversed = (one, other) => one.y > other.y && !siblings.has(`${one.name} ${other.name}`);
  return 10 * total(into, (inputs) => pairs([...inputs].sort((one, other) => one.position - other.position), swapped))
    + total(ranks, (rank) => pairs(rank, reversed));
}
