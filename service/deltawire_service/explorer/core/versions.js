// Loads versions of models, and tells whether a document still has the numbers of its version.
import * as api from "./api.js";
import { dataInputs } from "./model.js";
import { Failure } from "./requests.js";
import { firstBatch } from "./runs/rows.js";

export const MOST_NUMBERS = 500_000; // numbers of a network that the page can hold

const loaded = new Map(); // the text of a version's network and parameters, by its name and number

const keyOf = ({ name, version }) => `${name}/${version}`;

const textOf = ({ network, params }) => JSON.stringify([network, params]);

// Completes a document that names a version: {model: {name, version}}, the newest where version is null. With `run` in it, the
// data are the first batch of that run, unless there are others; `rows` tells where they come from.
export async function completed(document) {
  if (!document.model) return { ...document };
  if (document.network) {
    const { model, ...own } = document;
    return loaded.get(keyOf(model)) === textOf(document) ? { ...document } : own;
  }
  const version = await load(document.model);
  loaded.clear(); // one is enough: it is the one on the page
  loaded.set(keyOf(version.model), textOf(version));
  const { run } = document.model;
  if (!run) return { ...document, ...version };
  const { data, rows } = await firstBatch(version.model.name, run, dataInputs(version.network.inputs));
  const own = document.data; // of the address: they may be the same
  if (own) return { ...document, ...version, ...(data && JSON.stringify(own) === JSON.stringify(data) && { rows }) };
  return { ...document, ...version, ...(data && { data }), rows };
}

async function load({ name, version, run }) {
  const described = await api.modelNamed(name);
  const numbers = described.parameters.reduce((sum, one) => sum + one.numbers, 0);
  if (numbers > MOST_NUMBERS) {
    throw new Failure({ code: "model_large", errors: [{ code: "model_large", pointer: "/model", name, numbers, most: MOST_NUMBERS }] });
  }
  const { network, params, origin } = await api.paramsOf(name, version ?? described.version);
  return { model: { name, version: origin.version, dtype: described.dtype, ...(run && { run }) }, network, params };
}
