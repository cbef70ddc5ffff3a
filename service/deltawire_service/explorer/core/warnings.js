// Finds what deserves a warning in the numbers alone: flat slopes, and deltas that vanish or explode.
import { flat, sizeOf } from "./arrays.js";
import { precise } from "./numbers.js";

const SATURATED = 0.1, SMALL = 1e-3, LARGE = 1e3;
const OUT = 1, FAR = 10; // sizes of inputs: out on the curve, and so far out that rounding may lose the slope
const HOPS = 200; // edges followed from a node towards the loss

const CAUSES = ["dead", "saturated"];
export const isCause = ({ what }) => CAUSES.includes(what);

// The root mean square of an array.
const size = (traced) => (traced ? traced.norm / Math.sqrt(Math.max(1, sizeOf(traced.shape))) : 0);

// Returns a Map from a node's name to its warnings [{what, text}]. An effect also has its `ratio` to the δ near the loss,
// the `culprit` that causes it, and a sentence about that, `why`.
export function warningsOf(model, t) {
  const warnings = new Map();
  const add = (name, warning) => warnings.set(name, [...(warnings.get(name) ?? []), warning]);
  for (const edge of model.edges) {
    const warning = edge.local?.numbers && edge.local.shape.length > 0 && flatness(model, edge, t);
    if (warning) add(edge.to, warning);
  }
  const sizes = model.backward.map((name) => [name, size(model.delta.get(name))]).filter(([name]) => model.places.get(name).kind);
  const reference = Math.max(...sizes.slice(0, 3).map(([, one]) => one), 0);
  for (const [name, own] of sizes) {
    const ratio = reference ? own / reference : 1;
    if ((ratio > SMALL && ratio < LARGE) || !model.edges.some((edge) => edge.from === name && edge.delta)) continue;
    const what = ratio === 0 ? "nothing" : ratio <= SMALL ? "vanishing" : "exploding";
    const reason = reasonOf(model, name, warnings, what, t);
    add(name, { what, ratio, ...reason, text: `${t(what, name, precise(ratio))} ${reason.why}` });
  }
  return warnings;
}

// The warning about a layer that works number by number. A slope of exactly 0 is dead. Far out on a curve whose value is
// not 0, it is saturated instead, its slope lost to rounding.
function flatness(model, edge, t) {
  const [source, node] = [model.places.get(edge.from).value, model.places.get(edge.to).value];
  const [slopes, inputs, values] = [edge.local, source, node].map(({ numbers }) => flat(numbers));
  const zero = slopes.flatMap((slope, i) => (slope === 0 ? [i] : []));
  const far = zero.filter((i) => Math.abs(inputs[i]) >= FAR && values[i] !== 0);
  const most = Math.max(...slopes.map(Math.abs));
  const often = zero.length > slopes.length / 2;
  if (often && far.length <= zero.length / 2) {
    return { what: "dead", text: zero.length < slopes.length ? t("dead", zero.length, slopes.length) : t("deadAll") };
  }
  const near = Math.min(...inputs.map(Math.abs));
  if (most < SATURATED && near >= OUT) {
    const sides = source.min < 0 && source.max > 0 ? precise(near) : "";
    return { what: "saturated", text: t("saturated", precise(most), edge.from, precise(source.min), precise(source.max), sides) };
  }
  return often ? { what: "saturated", text: t("saturatedSome", zero.length, slopes.length, edge.from) } : null;
}

// The node between the loss and `name` where delta shrinks or grows most, and a sentence about it.
function reasonOf(model, name, warnings, what, t) {
  let worst = null;
  let at = name;
  for (let hops = 0; hops < HOPS; hops += 1) {
    const edges = model.edges.filter((edge) => edge.from === at && edge.delta);
    if (!edges.length) break;
    const edge = edges.reduce((a, b) => (b.delta.norm > a.delta.norm ? b : a));
    const arriving = size(model.delta.get(edge.to));
    const ratio = arriving ? size(edge.delta) / arriving : 1;
    if (!worst || Math.abs(Math.log(ratio || 1e-300)) > Math.abs(Math.log(worst.ratio || 1e-300))) worst = { ratio, name: edge.to };
    at = edge.to;
  }
  const cause = warnings.get(worst.name)?.find(isCause);
  const because = cause ? t(`because_${cause.what}`) : "";
  const why = what === "nothing" ? t("culpritNothing", worst.name, because) : t("culprit", worst.name, precise(worst.ratio), because);
  return { culprit: cause ? worst.name : null, why };
}

// Returns the findings [{what, names, text}]: each cause, then each effect once for all the nodes it reaches.
export function findingsOf(warnings, t) {
  const all = [...warnings].flatMap(([name, list]) => list.map((warning) => ({ name, ...warning })));
  const groups = new Map();
  for (const warning of all.filter((one) => !isCause(one))) {
    const key = `${warning.what} ${warning.culprit ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), warning]);
  }
  const effects = [...groups.values()].map((group) => {
    const [{ what }, last] = [group[0], group.at(-1)];
    const text = group.length > 1 ? `${t(`${what}All`, precise(group[0].ratio), precise(last.ratio))} ${last.why}` : last.text;
    return { what, names: group.map(({ name }) => name), text };
  });
  return [...all.filter(isCause).map(({ what, name, text }) => ({ what, names: [name], text })), ...effects];
}
