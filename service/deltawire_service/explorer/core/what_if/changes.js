// Finds the numbers of one example that differ between two evaluations of a network.
import { flat } from "../arrays.js";
import { dataInputs } from "../model.js";

// A number that was changed: its array, its flat index there, and what it was and is.
/** @typedef {{ name: string, at: number, from: number, to: number }} Change */

const dtypeOf = ({ model }) => model?.dtype ?? "float64";

const dtypesOf = ({ inputs }) => JSON.stringify(Object.entries(inputs).map(([name, spec]) => [name, spec.dtype ?? "float64"]));

// Returns why two documents differ in more than numbers, "dtype" or "network"; null where they do not.
export function otherwise(before, after) {
  if (JSON.stringify(before.network) === JSON.stringify(after.network)) return dtypeOf(before) === dtypeOf(after) ? null : "dtype";
  const same = Object.keys(before.network.inputs).join() === Object.keys(after.network.inputs).join();
  return same && dtypesOf(before.network) !== dtypesOf(after.network) ? "dtype" : "network";
}

// Returns the changes, of inputs as the example has them and of parameters, in the order of the network.
/** @returns {Change[]} */
export function changesOf(before, after) {
  const { inputs } = after.document.network;
  const names = Object.keys(dataInputs(inputs));
  const rowOf = ({ document: { data }, row }, name) => (inputs[name].shared ? data[name] : data[name][row]);
  const data = names.flatMap((name) => differing(name, rowOf(before, name), rowOf(after, name)));
  const params = Object.keys(after.model.params).flatMap((name) => differing(name, before.model.params[name], after.model.params[name]));
  return [...data, ...params];
}

function differing(name, one, other) {
  const was = flat(one);
  return flat(other).flatMap((to, at) => (to === was[at] ? [] : [{ name, at, from: was[at], to }]));
}
