// Builds the model of one example: its network as a graph, with every value, delta and gradient of the trace.
import { filled, summary } from "./arrays.js";

/** @import { Traced } from "./arrays.js" */

// A map of all places, or of all nodes: a name of the network is always in it.
/** @template T @typedef {Omit<Map<string, T>, "get"> & { get(name: any): T }} Known */

/** @typedef {{ name: string, local: string, contribution: Traced | null }} Parameter */

// An input or a node. `kind`: null of an input, which has its part of the network's spec instead. `weight`: of the node in the loss.
/**
 * @typedef {object} Place
 * @property {string} name
 * @property {any} kind
 * @property {string[]} inputs
 * @property {number[]} shape
 * @property {any} [spec]
 * @property {any} [config]
 * @property {any} [index]
 * @property {string} [tiedTo]
 * @property {any} [layer]
 * @property {any} value
 * @property {number} [weight]
 * @property {Parameter[]} parameters
 */

// `position`: the index of the source among the inputs of its consumer, `role` the name of that input. `delta`: what is sent
// back; undefined where nothing is. `share`: of what arrives at the source. `twin`, `mark`: see markTwins.
/**
 * @typedef {object} Edge
 * @property {string} id
 * @property {string} from
 * @property {string} to
 * @property {number} position
 * @property {string} [role]
 * @property {any} delta
 * @property {any} local
 * @property {number | null} twin
 * @property {string} mark
 * @property {number | null} share
 */

// `objective`: the loss with the regularization, which the gradients are of. `hidden`: red numbers that the reader is to predict,
// edges/ID and params/NAME.
/**
 * @typedef {object} Model
 * @property {Known<Place>} places
 * @property {Edge[]} edges
 * @property {Known<Edge[]>} arriving
 * @property {string[]} forward
 * @property {string[]} backward
 * @property {Known<number>} computed
 * @property {Known<number>} sent
 * @property {Record<string, any>} gradients
 * @property {Record<string, any>} params
 * @property {number} loss
 * @property {number} objective
 * @property {number[]} losses
 * @property {Known<any>} slopes
 * @property {any} regularization
 * @property {any[]} parameters
 * @property {Known<any>} delta
 * @property {number} last
 * @property {Set<string>} hidden
 */

const FIRST_SIGN = 0x2460, SIGNS = 20; // ① to ⑳

// The numbers of a traced array without its batch axis: null where the trace has only a summary.
/** @param {Traced} traced */
const single = (traced) => (traced ? (traced.numbers ? traced.numbers[0] : null) : undefined);

/** @param {Traced} traced */
const ofExample = (traced) => traced && { ...traced, numbers: single(traced), shape: traced.shape.slice(1) };

// The inputs that data is sent for: a learned input is a parameter, and noise is drawn.
export const dataInputs = (inputs) => Object.fromEntries(Object.entries(inputs).filter(([, spec]) => !spec.parameter && !spec.noise));

// The word for what a place is: the kind of its layer, or the sort of input.
/** @param {Place} place @param {Translate} t */
export const kindOf = (place, t) => place.kind ?? t(place.spec.parameter ? "learnedInput" : place.spec.noise ? "noiseInput" : "input");

// What an input has for one example. No noise is drawn here: every number is the mean.
function numbersOf(name, spec, { params, data }, row) {
  if (spec.noise) return filled(spec.shape, () => (spec.noise.dropout === undefined ? 0 : 1));
  if (spec.parameter) return params[name];
  return spec.shared ? data[name] : data[name][row];
}

// Returns `places` (the inputs and nodes by name, in the order of the spec), `edges` (from a source to its consumer, with
// the delta sent back), and the order in which the nodes compute (`forward`) and send (`backward`). `row`: of the batch.
// `batch`: {losses, trace} of it; the slopes of several examples are known by edge, where there is a trace.
export function build(document, plan, answer, layers, row, batch) {
  const places = new Map();
  for (const [name, spec] of Object.entries(document.network.inputs)) {
    const numbers = numbersOf(name, spec, document, row);
    places.set(name, {
      name, kind: null, inputs: [], shape: spec.shape, spec, value: summary(numbers, spec.shape), parameters: [],
    });
  }
  const indices = indicesOf(document.network);
  const values = new Map(answer.trace.forward.map(({ node, value }) => // the trace samples large values, the answer has all
    [node, { ...ofExample(value), numbers: single(value) ?? answer.values[node][0] }]));
  const returned = new Map(answer.trace.backward.map((step) => [step.node, step]));
  for (const { name, kind, inputs, shape } of plan.nodes) {
    const index = indices.get(name);
    const { config = {}, tied_to: tiedTo } = document.network.nodes[index] ?? {};
    places.set(name, {
      name, kind, inputs, shape, config, index, tiedTo, layer: layers.get(kind), value: values.get(name), weight: plan.loss[name] ?? 0,
      parameters: Object.entries(returned.get(name)?.gradients ?? {}).map(([parameter, traced]) => parameterOf(parameter, traced)),
    });
  }
  for (const { name } of plan.parameters) {
    const owner = places.get(name.split(".")[0]);
    if (owner.kind && !owner.parameters.some((one) => one.name === name)) owner.parameters.push(parameterOf(name, null));
  }
  const edges = plan.nodes.flatMap((node) => node.inputs.map((source, position) => {
    const sent = returned.get(node.name)?.sends.find((one) => one.input === position);
    return {
      id: `${source}→${node.name}/${position}`, from: source, to: node.name, position, role: roleOf(layers.get(node.kind), node, position),
      delta: ofExample(sent?.delta), local: ofExample(sent?.local),
    };
  }));
  markTwins(edges);
  const forward = answer.trace.forward.map((step) => step.node);
  const backward = answer.trace.backward.map((step) => step.node);
  const indexed = (names) => new Map(names.map((name, index) => [name, index]));
  const sent = indexed(backward);
  /** @type {Map<string, Edge[]>} */
  const arriving = new Map([...places.keys()].map((name) => [name, []])); // by place, in the order in which they are sent
  for (const edge of edges) if (edge.delta) arriving.get(edge.from)?.push(edge);
  for (const list of arriving.values()) {
    list.sort((a, b) => (sent.get(a.to) ?? 0) - (sent.get(b.to) ?? 0));
    share(list);
  }
  const known = (map) => /** @type {Known<any>} */ (map);
  return {
    places: known(places), edges, arriving: known(arriving), forward, backward, computed: known(indexed(forward)), sent: known(sent), gradients: answer.gradients.params, params: document.params ?? {},
    loss: answer.losses[0], objective: answer.loss, losses: batch.losses, slopes: known(slopesOf(batch.trace ?? answer.trace)), regularization: document.network.regularization, parameters: plan.parameters,
    delta: known(new Map(answer.trace.backward.map((step) => [step.node, ofExample(step.delta)]))),
    last: forward.length + backward.length, hidden: new Set(),
  };
}

// What a layer of several inputs calls the one at a position; undefined where there is one, or more than have names.
const roleOf = (layer, { inputs }, position) =>
  (inputs.length > 1 && layer ? [...layer.inputs.names, ...(layer.inputs.optional ?? [])][position] : undefined);

const slopesOf = (trace) => new Map(trace.backward.flatMap(({ node, sends }) =>
  sends.filter((one) => one.local).map((one) => [`${one.to}→${node}/${one.input}`, one.local])));

// Where several edges join the same two places, `twin` is the number of the input that an edge leads to, and `mark` that number
// as a sign behind its name; otherwise null and "".
/** @param {Edge[]} edges */
function markTwins(edges) {
  const counts = new Map();
  const pair = ({ from, to }) => JSON.stringify([from, to]);
  for (const edge of edges) counts.set(pair(edge), (counts.get(pair(edge)) ?? 0) + 1);
  for (const edge of edges) {
    edge.twin = counts.get(pair(edge)) > 1 ? edge.position + 1 : null;
    edge.mark = edge.twin === null ? "" : edge.twin <= SIGNS ? String.fromCharCode(FIRST_SIGN + edge.twin - 1) : ` (${edge.twin})`;
  }
}

// Sets the `share` that each edge has of the norms that arrive at one place, from 0 to 1; null where nothing arrives.
/** @param {Edge[]} edges */
function share(edges) {
  const largest = Math.max(...edges.map(({ delta }) => delta.norm)); // divided by first: the sum of large norms is infinite
  const total = edges.reduce((sum, { delta }) => sum + delta.norm / largest, 0);
  for (const edge of edges) edge.share = largest > 0 && largest < Infinity ? edge.delta.norm / largest / total : null;
}

// A parameter as a node uses it: its name in the layer, and what the node contributes to its gradient.
/** @param {Traced | null} traced @returns {Parameter} */
const parameterOf = (name, traced) =>
  ({ name, local: name.split(".").at(-1), contribution: traced && { ...traced, numbers: traced.numbers ?? null } });

// Maps each node's name to its index in the spec. As in the service, an unnamed node is called by its kind and a number.
function indicesOf({ inputs, nodes }) {
  const indices = new Map(nodes.flatMap(({ name }, index) => (name ? [[name, index]] : [])));
  const numbers = {};
  nodes.forEach(({ name, kind }, index) => {
    if (name) return;
    do numbers[kind] = (numbers[kind] ?? 0) + 1;
    while (indices.has(kind + numbers[kind]) || kind + numbers[kind] in inputs);
    indices.set(kind + numbers[kind], index);
  });
  return indices;
}

// λ of a parameter: 0 where no glob names it.
export function lambdaOf({ regularization }, name) {
  const { l2 = 0, parameters = ["*.weight"] } = regularization ?? {};
  return parameters.some((glob) => matches(glob, name)) ? l2 : 0;
}

// Reads globs as the service does: * any text, ? any character, […] one of them.
const matches = (glob, name) => new RegExp(`^${glob.replace(/\[!?[^\]]+\]|[^]/g, (part) => ({ "*": ".*", "?": "." })[part]
  ?? (part[1] ? part.replace("[!", "[^").replaceAll("\\", "\\\\") : part.replace(/\W/, "\\$&")))}$`, "s").test(name);
