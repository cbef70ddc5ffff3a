// Predicts how the loss changes with numbers by the gradient before the change, and compares that with what happened.
import { flat } from "../arrays.js";
import { arrivals } from "../steps.js";
import { changesOf, otherwise } from "./changes.js";

/** @import { Model } from "../model.js"
 *  @import { Change } from "./changes.js" */

/** @typedef {Change & { gradient: number, product: number }} Term */

// `reason`: why nothing is predicted, of `names`, or null. `before`: the model before the change, null where not numbers alone were changed.
/** @typedef {{ reason: string | null, names: string[], before: Model | null, terms: Term[], predicted: number, from: number, to: number }} WhatIf */

// Returns the WhatIf of two evaluations; null where the numbers of the example are the same.
/** @returns {WhatIf | null} */
export function whatIf(before, after) {
  const common = { names: [], terms: [], predicted: 0, from: before.model.objective, to: after.model.objective };
  const other = otherwise(before.document, after.document);
  if (other) return { ...common, reason: other, before: null };
  const changes = changesOf(before, after);
  if (!changes.length) return null;
  const refused = (reason, names) => ({ ...common, reason, names, before: before.model });
  const integers = named(changes, (name) => before.model.places.get(name)?.spec?.dtype === "int64");
  if (integers.length) return refused("integers", integers);
  const gradients = new Map(named(changes, () => true).map((name) => [name, gradientOf(before.model, name)]));
  const large = [...gradients].filter(([, gradient]) => !gradient).map(([name]) => name);
  if (large.length) return refused("large", large);
  const terms = changes.map((change) => {
    const gradient = gradients.get(change.name)?.[change.at] ?? 0;
    return { ...change, gradient, product: gradient * (change.to - change.from) };
  });
  const predicted = terms.reduce((sum, { product }) => sum + product, 0);
  if (![predicted, common.from, common.to].every(Number.isFinite)) return refused("infinite", []);
  return { ...common, reason: null, before: before.model, terms, predicted };
}

const named = (changes, chosen) => [...new Set(changes.map(({ name }) => name))].filter(chosen);

// Returns the gradient of an input or a parameter as a flat list, [] of what the loss does not depend on, null of an input
// so large that the trace has only a part of its δ.
/** @param {Model} model @returns {any[] | null} */
function gradientOf(model, name) {
  if (Object.hasOwn(model.gradients, name)) return flat(model.gradients[name]);
  if (!model.places.has(name)) return [];
  const { expected, sum } = arrivals(model, name, model.last);
  if (!expected) return [];
  return sum && sum.numbers !== null ? flat(sum.numbers) : null;
}
