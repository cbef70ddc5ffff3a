// From a document to what is seen of it: planned, initialised where parameters are missing, traced at one example.
import * as api from "./api.js";
import { build } from "./model.js";

const plans = new Map();

async function planned(network) {
  const key = JSON.stringify(network);
  if (!plans.has(key)) {
    const plan = await api.plan(network);
    if (plans.size > 8) plans.clear();
    plans.set(key, plan);
  }
  return plans.get(key);
}

// Random numbers for data that is not given at all: a network alone is enough to look at.
function invented(plan, inputs) {
  const fill = (shape, one) => (shape.length ? Array.from({ length: shape[0] }, () => fill(shape.slice(1), one)) : one());
  return Object.fromEntries(Object.entries(inputs).map(([name, slot]) => {
    const one = slot.dtype === "int64" ? () => 0 : () => Math.round(200 * Math.random() - 100) / 100;
    return [name, slot.shared ? fill(slot.shape, one) : [fill(slot.shape, one), fill(slot.shape, one)]];
  }));
}

const DIGITS = 4;

const rounded = (array) => (Array.isArray(array) ? array.map(rounded) : Number(array.toPrecision(DIGITS)));

// Parameters drawn for a network, with so few digits that they can be read: the page computes with what it shows.
export async function drawnFor(network, seed) {
  const { params } = await api.init(network, seed);
  return Object.fromEntries(Object.entries(params).map(([name, array]) => [name, rounded(array)]));
}

const fits = (params, plan) =>
  plan.parameters.every(({ name, shape }) => JSON.stringify(shapeOf(params?.[name])) === JSON.stringify(shape))
  && Object.keys(params ?? {}).length === plan.parameters.length;

const shapeOf = (array) => (Array.isArray(array) ? [array.length, ...shapeOf(array[0])] : []);

// {document, model, plan, losses}. `renew`: parameters that do not fit the network are drawn anew, instead of refused.
// `over`: whether something newer is looked at; then the rest is not asked for, and there is nothing to see.
export async function look(asked, example, layers, renew, over = () => false) {
  const plan = await planned(asked.network);
  if (over()) return null;
  const document = { ...asked };
  const drawn = plan.parameters.length && (!document.params || (renew && !fits(document.params, plan)));
  if (drawn) document.params = await drawnFor(document.network);
  if (!plan.parameters.length && renew) delete document.params;
  document.data ??= invented(plan, document.network.inputs);
  const { network, params, data } = document;
  const answer = await api.gradients({ network, params, data, wrt: { params: false }, losses: true });
  if (over()) return null;
  const row = Math.min(example, answer.losses.length - 1);
  const traced = await api.gradients({
    ...request(document, row), trace: true, values: plan.nodes.map((node) => node.name),
  });
  return { document, plan, row, losses: answer.losses, loss: answer.loss, model: build(document, plan, traced, layers, row) };
}

// The request on one example of the batch.
export function request({ network, params, data }, row) {
  const one = Object.entries(data).map(([name, array]) => [name, network.inputs[name].shared ? array : [array[row]]]);
  return { network, params: params ?? {}, data: Object.fromEntries(one) };
}

// The request with an edge cut open: its consumer takes a new input there, of the same value, so that the gradient by
// that input is what the edge sends back.
export function opened({ network, params, data }, model, edge) {
  let cut = "cut";
  while (model.places.has(cut)) cut += "_";
  const nodes = network.nodes.map((node, place) => {
    const { name, inputs } = [...model.places.values()].find((one) => one.kind && one.place === place);
    return { ...node, name, inputs: inputs.map((source, i) => (name === edge.to && i === edge.position ? cut : source)) };
  });
  const { shape, value } = model.places.get(edge.from);
  return {
    network: { ...network, nodes, inputs: { ...network.inputs, [cut]: { shape } } }, params,
    data: { ...data, [cut]: [value.numbers] }, wrt: { params: false, data: [cut] },
  };
}
