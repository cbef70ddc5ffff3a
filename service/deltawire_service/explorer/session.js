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
function drawn(plan, inputs) {
  const fill = (shape, one) => (shape.length ? Array.from({ length: shape[0] }, () => fill(shape.slice(1), one)) : one());
  return Object.fromEntries(Object.entries(inputs).map(([name, slot]) => {
    const one = slot.dtype === "int64" ? () => 0 : () => Math.round(200 * Math.random() - 100) / 100;
    return [name, slot.shared ? fill(slot.shape, one) : [fill(slot.shape, one), fill(slot.shape, one)]];
  }));
}

const fits = (params, plan) =>
  plan.parameters.every(({ name, shape }) => JSON.stringify(shapeOf(params?.[name])) === JSON.stringify(shape))
  && Object.keys(params ?? {}).length === plan.parameters.length;

const shapeOf = (array) => (Array.isArray(array) ? [array.length, ...shapeOf(array[0])] : []);

// {document, model, plan, losses}. `renew`: parameters that do not fit the network are drawn anew, instead of refused.
export async function look(asked, example, layers, renew) {
  const plan = await planned(asked.network);
  const document = { ...asked };
  if (plan.parameters.length && (!document.params || (renew && !fits(document.params, plan)))) document.params = (await api.init(document.network)).params;
  if (!plan.parameters.length && renew) delete document.params;
  document.data ??= drawn(plan, document.network.inputs);
  const request = { network: document.network, params: document.params, data: document.data };
  const answer = await api.gradients({ ...request, wrt: { params: false }, losses: true });
  const row = Math.min(example, answer.losses.length - 1);
  const one = Object.fromEntries(Object.entries(document.data).map(([name, array]) =>
    [name, document.network.inputs[name].shared ? array : [array[row]]]));
  const traced = await api.gradients({
    ...request, data: one, trace: true, values: plan.nodes.map((node) => node.name),
  });
  return { document, plan, row, losses: answer.losses, loss: answer.loss, model: build(document, plan, traced, layers, row) };
}

// Per place: the largest relative difference the check found among its arrays.
export async function checked({ document, row }) {
  const one = Object.fromEntries(Object.entries(document.data).map(([name, array]) =>
    [name, document.network.inputs[name].shared ? array : [array[row]]]));
  const { arrays, passed } = await api.check({ network: document.network, params: document.params ?? {}, data: one });
  return { arrays, passed };
}
