// What is worth a warning, read from the numbers alone: dead, saturated, vanishing and exploding.
import { flat, precise } from "./numbers.js";

const SATURATED = 0.1, SMALL = 1e-3, LARGE = 1e3;

const size = (traced) => (traced ? traced.norm / Math.sqrt(Math.max(1, traced.shape.reduce((a, b) => a * b, 1))) : 0);

// name -> [{what, text}]
export function marksOf(model, t) {
  const marks = new Map();
  const add = (name, what, text) => marks.set(name, [...(marks.get(name) ?? []), { what, text }]);
  for (const edge of model.edges) {
    if (!edge.local?.numbers || edge.local.shape.length === 0) continue;
    const locals = flat(edge.local.numbers);
    const zero = locals.filter((slope) => slope === 0).length;
    const most = Math.max(...locals.map(Math.abs));
    const value = model.places.get(edge.from).value;
    if (zero === locals.length) add(edge.to, "dead", t("deadAll", edge.to));
    else if (zero > locals.length / 2) add(edge.to, "dead", t("dead", edge.to, zero, locals.length));
    else if (most < SATURATED) {
      add(edge.to, "saturated", t("saturated", edge.to, precise(most), edge.from, precise(value.min), precise(value.max)));
    }
  }
  const sizes = model.backward.map((name) => [name, size(model.delta.get(name))]).filter(([name]) => model.places.get(name).kind);
  const reference = Math.max(...sizes.slice(0, 3).map(([, one]) => one), 0);
  for (const [name, own] of sizes) {
    const ratio = reference ? own / reference : 1;
    if (ratio > SMALL && ratio < LARGE) continue;
    const sent = model.edges.filter((edge) => edge.from === name && edge.delta);
    const above = Math.max(...sent.map((edge) => size(model.delta.get(edge.to))));
    const consumers = sent.map((edge) => edge.to).join(", ");
    const what = ratio <= SMALL ? "vanishing" : "exploding";
    const step = above ? own / above : 1;
    if (sent.length) add(name, what, t(what, name, precise(ratio), consumers, precise(step), culprit(model, name, marks, t)));
  }
  return marks;
}

// On the way from the loss to a node, the place where delta shrinks (or grows) most.
function culprit(model, name, marks, t) {
  let worst = null;
  let at = name;
  for (let hops = 0; hops < 200; hops += 1) {
    const edges = model.edges.filter((edge) => edge.from === at && edge.delta);
    if (!edges.length) break;
    const edge = edges.reduce((a, b) => (b.delta.norm > a.delta.norm ? b : a));
    const arriving = size(model.delta.get(edge.to));
    const ratio = arriving ? size(edge.delta) / arriving : 1;
    if (!worst || Math.abs(Math.log(ratio || 1e-300)) > Math.abs(Math.log(worst.ratio || 1e-300))) worst = { ratio, name: edge.to };
    at = edge.to;
  }
  if (!worst) return "";
  const why = marks.get(worst.name)?.find((mark) => mark.what === "saturated" || mark.what === "dead");
  return t("culprit", worst.name, precise(worst.ratio), why ? t(`because_${why.what}`) : "");
}
