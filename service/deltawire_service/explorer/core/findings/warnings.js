// Finds what deserves a warning in the numbers: causes of small deltas, and deltas that vanish or explode.
import { precise } from "../numbers.js";
import { fit, flatness, isCause, lossEnd, meanSize, satisfaction } from "./causes.js";

/** @import { Model } from "../model.js" */

const SMALL = 1e-3, LARGE = 1e3;
const HOPS = 200; // edges followed from a node towards the loss

// Returns a Map from a node's name to its warnings [{what, text}]. An effect also has its `ratio` to the δ near the loss,
// the `culprit` that causes it, and a sentence about that, `why`.
/** @param {Model} model @param {Translate} t */
export function warningsOf(model, t) {
  const warnings = new Map();
  const add = (name, warning) => warnings.set(name, [...(warnings.get(name) ?? []), warning]);
  for (const edge of model.edges) {
    const warning = edge.local?.numbers && edge.local.shape.length > 0 && flatness(model, edge, t);
    if (warning) add(edge.to, warning);
  }
  /** @type {[string, number][]} */
  const all = model.backward.map((name) => [name, meanSize(model.delta.get(name))]);
  const sizes = all.filter(([name]) => model.places.get(name).kind);
  const { reference, beyond } = start(model, sizes, add, t);
  for (const [name, own] of sizes) {
    const ratio = reference ? own / reference : 1;
    if (beyond.has(name) || (ratio > SMALL && ratio < LARGE) || !model.edges.some((edge) => edge.from === name && edge.delta)) continue;
    const what = own === 0 ? "nothing" : ratio <= SMALL ? "vanishing" : "exploding";
    add(name, { what, ratio, ...reasonOf(model, name, warnings, add, what, t) });
    const warning = warnings.get(name).at(-1);
    warning.text = `${t(what, name, precise(ratio))} ${warning.why}`;
  }
  return warnings;
}

// The size of δ near the loss that others are compared with; of an example that is fitted, behind the nodes of the loss,
// which are `beyond` comparison.
/** @param {Model} model @param {Translate} t */
function start(model, sizes, add, t) {
  const reference = Math.max(...sizes.slice(0, 3).map(([, one]) => one), 0);
  const end = lossEnd(model);
  const sent = Math.max(...model.edges.filter((edge) => edge.delta && end.has(edge.to) && !end.has(edge.from)).map((edge) => meanSize(edge.delta)), 0);
  const warning = sent <= SMALL * reference && fit(model, sent, t);
  if (!warning) return { reference, beyond: new Set() };
  add([...end][0], warning);
  return { reference: sent, beyond: end };
}

// The node between the loss and `name` where delta shrinks or grows most, and a sentence about it.
/** @param {Model} model @param {Map<string, any[]>} warnings @param {Translate} t */
function reasonOf(model, name, warnings, add, what, t) {
  let worst = { ratio: 1, name };
  let at = name;
  for (let hops = 0; hops < HOPS; hops += 1) {
    const edges = model.edges.filter((edge) => edge.from === at && edge.delta);
    if (!edges.length) break;
    const edge = edges.reduce((a, b) => (b.delta.norm > a.delta.norm ? b : a));
    const arriving = meanSize(model.delta.get(edge.to));
    const ratio = arriving ? meanSize(edge.delta) / arriving : 1;
    if (hops === 0 || Math.abs(Math.log(ratio || 1e-300)) > Math.abs(Math.log(worst.ratio || 1e-300))) worst = { ratio, name: edge.to };
    at = edge.to;
  }
  const caused = () => warnings.get(worst.name)?.find(isCause);
  const satisfied = what === "nothing" && !caused() && satisfaction(model, worst.name, t);
  if (satisfied) add(worst.name, satisfied);
  const cause = caused();
  const because = cause ? t(`because_${cause.what}`) : "";
  const why = what === "nothing" ? t("culpritNothing", worst.name, because) : t("culprit", worst.name, precise(worst.ratio), because);
  return { culprit: cause ? worst.name : null, why };
}

// Returns the findings [{what, names, text}]: each cause, then each effect once for all the nodes it reaches.
/** @param {Map<string, any[]>} warnings @param {Translate} t */
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
