// Lists the red numbers of a place that a reader can predict, with the factors and terms that are easily taken for them.
import { flat, largestAt } from "../arrays.js";
import { lambdaOf } from "../model.js";
import { arrivals, edgeSent, isBackward, stepOf } from "../steps.js";

/** @import { Edge, Model } from "../model.js" */

// `at`: the flat index of the number in an array of a `shape`. `mistakes`: other numbers of its computation by their names.
// `reveals`: what is no longer hidden once the number is known.
/** @typedef {{ id: string, what: "delta" | "sent" | "gradient", name: string, of: string, shape: number[], at: number, truth: number, mistakes: [string, number][], reveals: string[] }} Question */

export const edgeKey = (edge) => `edges/${edge.id}`;

export const paramKey = (name) => `params/${name}`;

const NEAR = 1e-9; // of a number: the product of two factors is the number that was sent

// Returns the names of all red numbers that can be hidden: those that are known whole.
/** @param {Model} model @returns {Set<string>} */
export const hideable = (model) => new Set([...model.edges.filter((edge) => edge.delta && edge.delta.numbers !== null).map(edgeKey), ...Object.keys(model.gradients).map(paramKey)]);

// Returns the model with its red numbers hidden, without those in `revealed`.
/** @param {Model} model @param {Set<string>} revealed @returns {Model} */
export const concealed = (model, revealed) => ({ ...model, hidden: new Set([...hideable(model)].filter((key) => !revealed.has(key))) });

// Returns the questions about a place at a step: its δ, what it sends, the gradients of its parameters. `model`: not concealed.
/** @param {Model} model @param {number} step @returns {Question[]} */
export function questionsAt(model, name, step) {
  if (!model.places.has(name) || !isBackward(model, step)) return [];
  const sends = model.edges.filter((edge) => edge.to === name && edgeSent(model, edge, step) && edge.delta.numbers !== null);
  return [...deltaOf(model, name, step), ...sends.map((edge) => sentBy(model, edge)), ...gradientsOf(model, name, step)];
}

/** @param {Model} model @param {number} step @returns {Question[]} */
function deltaOf(model, name, step) {
  const { terms, missing, sum } = arrivals(model, name, step);
  const edges = terms.flatMap((term) => term.edge ?? []);
  if (missing || !edges.length || !sum || sum.numbers === null) return [];
  const at = largestAt(sum.numbers);
  const mistakes = edges.length === 1 && terms.length === 1 ? factorsOf(model, edges[0], at) : terms.map(({ delta }) => part(flat(delta.numbers)[at]));
  return [{ id: "delta", what: "delta", name, of: name, shape: model.places.get(name).shape, at, truth: flat(sum.numbers)[at], mistakes, reveals: edges.map(edgeKey) }];
}

/** @param {Model} model @param {Edge} edge @returns {Question} */
function sentBy(model, edge) {
  const at = largestAt(edge.delta.numbers);
  return {
    id: edge.id, what: "sent", name: edge.to, of: edge.from + edge.mark, shape: edge.delta.shape, at, truth: flat(edge.delta.numbers)[at],
    mistakes: factorsOf(model, edge, at), reveals: [edgeKey(edge)],
  };
}

// The gradient of each parameter of which all contributions are there. Their equations tell the δ of the nodes that make them.
/** @param {Model} model @param {number} step @returns {Question[]} */
function gradientsOf(model, name, step) {
  return model.places.get(name).parameters.filter((one) => one.contribution).flatMap(({ name: parameter }) => {
    const users = [...model.places.values()].filter((node) => node.parameters.some((one) => one.name === parameter && one.contribution));
    if (users.some((node) => stepOf(model, node.name) > step)) return [];
    const { shape } = model.parameters.find((one) => one.name === parameter);
    const at = largestAt(model.gradients[parameter]);
    const truth = flat(model.gradients[parameter])[at];
    const lambda = lambdaOf(model, parameter);
    const parts = users.map((node) => node.parameters.find((one) => one.name === parameter)?.contribution?.numbers).filter(Boolean).map((numbers) => flat(numbers)[at]);
    /** @type {[string, number][]} */
    const mistakes = [
      ...(lambda ? [/** @type {[string, number]} */ (["decay", truth - lambda * flat(model.params[parameter])[at]])] : []),
      ...(users.length > 1 ? parts.map(part) : outerOf(model, users[0], parts[0], shape, at)),
    ];
    const reveals = [paramKey(parameter), ...users.flatMap((node) => model.arriving.get(node.name).map(edgeKey))];
    return [{ id: parameter, what: "gradient", name, of: parameter, shape, at, truth, mistakes, reveals }];
  });
}

/** @returns {[string, number]} */
const part = (number) => ["part", number];

// The upstream and the local gradient that make one number that an edge sends, where it is just their product.
/** @param {Model} model @param {Edge} edge @returns {[string, number][]} */
function factorsOf(model, edge, at) {
  const [local, delta] = [edge.local?.numbers, model.delta.get(edge.to)?.numbers].map((one) => (one === null || one === undefined ? [] : flat(one)));
  const sent = flat(edge.delta.numbers);
  if (local.length !== sent.length || delta.length !== sent.length) return [];
  return factors(delta[at], local[at], sent[at]);
}

// δ and what came in, where the contribution to a matrix is just their product.
/** @param {Model} model @param {number[]} shape @returns {[string, number][]} */
function outerOf(model, node, contribution, shape, at) {
  const [delta, input] = [model.delta.get(node.name)?.numbers, model.places.get(node.inputs[0])?.value.numbers];
  if (shape.length !== 2 || !Array.isArray(delta) || !Array.isArray(input) || delta.length !== shape[0] || input.length !== shape[1]) return [];
  return factors(delta[Math.floor(at / shape[1])], input[at % shape[1]], contribution);
}

/** @returns {[string, number][]} */
const factors = (upstream, local, product) =>
  (Math.abs(upstream * local - product) <= NEAR * Math.abs(product) ? [["upstream", upstream], ["local", local]] : []);
