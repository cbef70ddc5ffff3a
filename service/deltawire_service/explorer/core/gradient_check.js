// Checks every red number of the page against derivatives that backprop had no part in.
import * as api from "./api.js";
import { largest, minus } from "./arrays.js";
import { lambdaOf } from "./model.js";
import { requestOf, spelledOut } from "./session.js";
import { arrivals } from "./steps.js";

/** @import { Edge, Model } from "./model.js" */

const NUMBERS = 3000; // about as many are checked in one request: each costs three forward passes
// Relative to the array's largest number, or to 1: the service's own bound, and what float32 leaves of the numbers shown.
const EXACT = { float64: 1e-9, float32: 1e-5 };
const COARSE = 1e-4; // the service's bound on the difference to central differences

// Returns a Map from the array's name (params/…, data/…, deltas/…, edges/…) to its badge {what, passed, difference, text}.
// One request checks all gradients and deltas; where paths meet, each path takes one of its own.
/** @param {{ model: Model, [other: string]: any }} props */
export async function checkGradients({ document, row, model }) {
  const badges = new Map();
  const bound = EXACT[document.model?.dtype ?? "float64"];
  const add = (what, array, shown) => badges.set(what, badgeOf(array, what, shown, bound));
  const request = requestOf(document, row);
  const deltas = model.backward.filter((name) => model.delta.get(name).numbers !== null);
  const count = deltas.length + model.parameters.length + Object.keys(request.data).length;
  const samples = Math.max(2, Math.min(10, Math.floor(NUMBERS / count ** 1.5)));
  const { arrays } = await api.check({ ...request, deltas, samples });
  for (const array of arrays) {
    const [place, name] = array.name.split("/");
    const shared = place === "data" && document.network.inputs[name].shared;
    if (place === "params") add(array.name, array, model.gradients[name]);
    if (place === "params" && model.places.has(name)) addLearned(model, name, array, add);
    if (place !== "params") {
      const shown = arrivals(model, name, model.last).sum?.numbers;
      if (shown !== undefined) add(array.name, array, shared ? shown : [shown]);
    }
  }
  for (const edge of model.edges.filter((one) => one.delta)) {
    const what = `edges/${edge.id}`;
    if (arrivals(model, edge.from, model.last).expected === 1) {
      const same = badgeOfPlace(badges, edge.from);
      if (same) badges.set(what, { ...same, what });
    } else if (edge.delta.numbers !== null) {
      const { arrays: [array] } = await api.check({ ...cutAt(request, model, edge), samples });
      add(what, array, [edge.delta.numbers]);
    }
  }
  return badges;
}

// The delta that arrives at a learned input is its gradient without the regularization.
/** @param {Model} model */
function addLearned(model, name, array, add) {
  const delta = arrivals(model, name, model.last).sum?.numbers;
  if (delta !== undefined) add(`data/${name}`, array, minus(delta, model.params[name], -lambdaOf(model, name)));
}

// Compares the numbers shown with the complex step, relative to the largest of them; with the differences where a layer
// has first derivatives only.
function badgeOf({ passed, worst }, what, shown, bound) {
  const size = largest(shown);
  const error = Math.max(0, ...worst.map(({ index, complex_step, differences }) =>
    Math.abs(numberAt(shown, index) - (complex_step ?? differences))));
  if (worst.some(({ complex_step }) => complex_step === null)) bound = Math.max(bound, COARSE);
  const difference = error / (size || 1);
  const text = difference ? difference.toExponential(0).replace("e-", "e−") : "0";
  return { what, passed: passed && error <= bound * Math.max(1, size), difference, text };
}

const numberAt = (numbers, index) => index.reduce((part, i) => part[i], numbers);

// The request with one edge cut: its consumer takes a new input of the same value there, so that the gradient by that
// input is what the edge sends back.
/** @param {any} request @param {Model} model @param {Edge} edge */
function cutAt({ network, params, data }, model, edge) {
  let cut = "cut";
  while (model.places.has(cut)) cut += "_";
  const nodes = spelledOut(network, model).map((node) =>
    ({ ...node, inputs: node.inputs.map((source, i) => (node.name === edge.to && i === edge.position ? cut : source)) }));
  const { shape, value } = model.places.get(edge.from);
  return {
    network: { ...network, nodes, inputs: { ...network.inputs, [cut]: { shape } } }, params,
    data: { ...data, [cut]: [value.numbers] }, wrt: { params: false, data: [cut] },
  };
}

/** @param {Map<string, any>} badges */
export const badgeOfPlace = (badges, name) => badges.get(`deltas/${name}`) ?? badges.get(`data/${name}`);
