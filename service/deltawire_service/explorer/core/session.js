// Evaluates a document: plans its network, initialises missing parameters and traces one example.
import * as api from "./api.js";
import { filled } from "./arrays.js";
import { build, dataInputs } from "./model.js";
import { keepRows } from "./runs/rows.js";
import { completed } from "./versions.js";

/** @import { Known, Model, Place } from "./model.js" */

const PLANS = 8; // kept, so that changed numbers alone need no new plan
const plans = new Map();

async function planOf(network) {
  const key = JSON.stringify(network);
  if (!plans.has(key)) {
    const plan = await api.plan(network);
    if (plans.size > PLANS) plans.clear();
    plans.set(key, plan);
  }
  return plans.get(key);
}

// Two random examples, so that a network without data can be shown.
function randomData(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => {
    const draw = spec.dtype === "int64" ? () => 0 : () => Math.round(200 * Math.random() - 100) / 100;
    return [name, spec.shared ? filled(spec.shape, draw) : [filled(spec.shape, draw), filled(spec.shape, draw)]];
  }));
}

const DIGITS = 4;

const rounded = (array) => (Array.isArray(array) ? array.map(rounded) : Number(array.toPrecision(DIGITS)));

// Draws parameters with few digits, so that people can read them; the page computes with what it shows.
export async function initialParams(network, seed) {
  const { params } = await api.init(network, seed);
  return Object.fromEntries(Object.entries(params).map(([name, array]) => [name, rounded(array)]));
}

const fits = (params, plan) =>
  plan.parameters.every(({ name, shape }) => JSON.stringify(shapeOf(params?.[name])) === JSON.stringify(shape))
  && Object.keys(params ?? {}).length === plan.parameters.length;

const shapeOf = (array) => (Array.isArray(array) ? [array.length, ...shapeOf(array[0])] : []);

// Returns {document, plan, row, losses, loss, model}, the document completed with parameters and data. A document with
// `model`, {name, version}, gets that version's network, parameters and dtype; it loses `model` once they are changed.
// `renew`: draw new parameters where they do not fit the network; else the service refuses them.
// `outdated`: tells that a newer document is being evaluated; then the rest is not requested, and null is returned.
export async function evaluate(given, example, layers, renew, outdated = () => false) {
  const { rows, ...document } = await completed(given ?? {}); // null where the typed text is
  const plan = await planOf(document.network);
  if (outdated()) return null;
  const missing = plan.parameters.length && (!document.params || (renew && !fits(document.params, plan)));
  if (missing) document.params = await initialParams(document.network);
  if (!plan.parameters.length && renew) delete document.params;
  document.data ??= randomData(dataInputs(document.network.inputs));
  if (rows) keepRows(rows, document.data);
  const trace = (row) => api.gradients({ ...requestOf(document, row), trace: true, losses: true, values: plan.nodes.map((node) => node.name) });
  const alone = isAlone(document) ? trace(0) : null; // it is the whole batch: one pass tells all
  const { model, network, params, data } = document;
  const answer = await (alone ?? api.gradients({ model, network, params, data, wrt: { params: false }, losses: true }));
  if (outdated()) return null;
  const row = Math.min(example, answer.losses.length - 1);
  const { losses } = answer;
  const [traced, batch] = await Promise.all([
    alone ?? trace(row),
    losses.length > 1 ? api.gradients({ ...requestOf(document, ...spread(losses.length)), trace: true, wrt: { params: false } }) : { trace: null },
  ]);
  const known = { losses, trace: batch.trace };
  return { document, plan, row, losses, loss: answer.loss, model: build(document, plan, traced, layers, row, known) };
}

// Tells whether a batch is one example, so that no row is cut out of it. Data that do not fit the inputs are no such batch:
// the service gets them whole, and refuses them.
function isAlone({ network: { inputs }, data }) {
  const names = Object.keys(data).filter((name) => !inputs[name]?.shared);
  return names.length > 0 && names.every((name) => Object.hasOwn(inputs, name) && Array.isArray(data[name]) && data[name].length === 1);
}

const EXAMPLES = 64; // of a batch whose slopes are looked at, at most

// Rows at even distances, of a batch.
const spread = (batch) => Array.from({ length: Math.min(batch, EXAMPLES) }, (_, i) => Math.floor((i * batch) / Math.min(batch, EXAMPLES)));

// The request for one example of the batch, or for several.
/** @param {{ model: Model, [other: string]: any }} props */
export function requestOf({ model, network, params, data }, ...rows) {
  const examples = Object.entries(data).map(([name, array]) => [name, network.inputs[name].shared ? array : rows.map((row) => array[row])]);
  return { model, network, params: params ?? {}, data: Object.fromEntries(examples) };
}

// Nodes with the names and inputs that the service fills in, so that changes around them do not change their meaning.
/** @param {Model} model */
export function spelledOut(network, model) {
  const byIndex = /** @type {Known<Place>} */ (new Map([...model.places.values()].filter((place) => place.kind).map((place) => [place.index, place])));
  return network.nodes.map((node, index) => ({ ...node, name: byIndex.get(index).name, inputs: [...byIndex.get(index).inputs] }));
}
