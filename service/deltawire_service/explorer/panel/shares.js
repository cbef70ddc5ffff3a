// Who brings what to a parameter's gradient: each node that uses it, and the regularization.
import { isBackward, stepOf, summary } from "../core/model.js";
import { flat, plus } from "../core/numbers.js";

// The nodes in the order in which they send; `sum`: of those that have sent, `gradient`: of all and the regularization.
export function sharesOf(model, name, step) {
  const { shape } = model.parameters.find((one) => one.name === name);
  const all = [...model.places.values()].flatMap((node) => {
    const own = node.parameters.find((one) => one.name === name && one.share);
    return own ? [{ node, own, share: own.share, known: isBackward(model, step) && stepOf(model, node.name) <= step }] : [];
  }).sort((a, b) => stepOf(model, a.node.name) - stepOf(model, b.node.name));
  const known = all.filter((one) => one.known);
  const whole = known.every((one) => one.share.numbers !== null);
  return {
    all, missing: all.length - known.length, l2: regularized(model, name),
    sum: known.length && whole ? summary(known.map((one) => one.share.numbers).reduce(plus), shape) : null,
    gradient: summary(model.gradients[name], shape),
  };
}

// λ of a parameter: 0 where no glob of the regularization names it.
function regularized({ regularization }, name) {
  const { l2 = 0, parameters = ["*.weight"] } = regularization ?? {};
  return parameters.some((glob) => matches(glob, name)) ? l2 : 0;
}

// As the service reads globs: * any text, ? any character, […] one of them.
function matches(glob, name) {
  const source = glob.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.length > 1 ? part.replace("[!", "[^").replaceAll("\\", "\\\\") : part.replace(/[\\^$.|+()[\]{}/]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s").test(name);
}

// A number of an array, by its flat index.
export const cellOf = (array, place) => flat(array)[place];
