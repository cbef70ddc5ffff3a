// Collects the contributions to a parameter's gradient: one of each node that uses it, and the regularization.
import { flat, plus, summary } from "../core/arrays.js";
import { lambdaOf } from "../core/model.js";
import { isBackward, stepOf } from "../core/steps.js";

/** @import { Model } from "../core/model.js" */

// Returns `all` contributions in the order in which the nodes send, how many are `missing` at this step, the `sum` of the
// others, the whole `gradient`, and λ of the regularization, `l2`.
/** @param {Model} model @param {number} step */
export function contributionsTo(model, name, step) {
  const { shape } = model.parameters.find((one) => one.name === name);
  const all = [...model.places.values()].flatMap((node) => {
    const own = node.parameters.find((one) => one.name === name);
    return own?.contribution ? [{ node, own, contribution: own.contribution, known: isBackward(model, step) && stepOf(model, node.name) <= step }] : [];
  }).sort((a, b) => stepOf(model, a.node.name) - stepOf(model, b.node.name));
  const known = all.filter((one) => one.known);
  const whole = known.every((one) => one.contribution.numbers !== null);
  return {
    all, missing: all.length - known.length, l2: lambdaOf(model, name),
    sum: known.length && whole ? summary(known.map((one) => one.contribution.numbers).reduce(plus), shape) : null,
    gradient: summary(model.gradients[name], shape),
  };
}

// The number of an array at a flat index.
export const numberAt = (array, index) => flat(array)[index];

// The name of a number of an array: [i, j] behind that of the array, nothing behind that of a single number.
/** @param {string} name @param {number} flatIndex @param {number[]} shape */
export const elementName = (name, flatIndex, shape) => (shape.length ? `${name}[${indicesOf(flatIndex, shape).join(", ")}]` : name);

// The indices, one an axis, of a flat index.
/** @param {number} flatIndex @param {number[]} shape */
export function indicesOf(flatIndex, shape) {
  const indices = [];
  let left = flatIndex;
  for (const size of [...shape].reverse()) { indices.unshift(left % size); left = Math.floor(left / size); }
  return indices;
}
