// What is worth a warning, read from the numbers alone: where the slope is flat, and where delta vanishes or explodes.
import { html } from "./dom.js";
import { flat, precise } from "./numbers.js";

const SATURATED = 0.1, SMALL = 1e-3, LARGE = 1e3;
const OUT = 1, FAR = 10; // inputs of this size: out on the curve; so far out that a slope may be lost to rounding

const CAUSES = ["dead", "saturated"];
export const isCause = ({ what }) => CAUSES.includes(what);

const size = (traced) => (traced ? traced.norm / Math.sqrt(Math.max(1, traced.shape.reduce((a, b) => a * b, 1))) : 0);

// name -> [{what, text}]; of what is no cause also `ratio` to the δ near the loss, and `culprit` with its sentence `why`.
export function marksOf(model, t) {
  const marks = new Map();
  const add = (name, mark) => marks.set(name, [...(marks.get(name) ?? []), mark]);
  for (const edge of model.edges) {
    const mark = edge.local?.numbers && edge.local.shape.length > 0 && flatness(model, edge, t);
    if (mark) add(edge.to, mark);
  }
  const sizes = model.backward.map((name) => [name, size(model.delta.get(name))]).filter(([name]) => model.places.get(name).kind);
  const reference = Math.max(...sizes.slice(0, 3).map(([, one]) => one), 0);
  for (const [name, own] of sizes) {
    const ratio = reference ? own / reference : 1;
    if ((ratio > SMALL && ratio < LARGE) || !model.edges.some((edge) => edge.from === name && edge.delta)) continue;
    const what = ratio === 0 ? "nothing" : ratio <= SMALL ? "vanishing" : "exploding";
    const found = culprit(model, name, marks, what, t);
    add(name, { what, ratio, ...found, text: `${t(what, name, precise(ratio))} ${found.why}` });
  }
  return marks;
}

// Of a layer that works number by number. A slope of exactly 0 is dead, unless it is that of a curve that flattens far
// out, and whose value there is not 0: it is saturated, and its slope lost to rounding.
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

// On the way from the loss to a node, the place where delta shrinks (or grows) most, and a sentence about it.
function culprit(model, name, marks, what, t) {
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
  const cause = marks.get(worst.name)?.find(isCause);
  const because = cause ? t(`because_${cause.what}`) : "";
  return { culprit: cause ? worst.name : null, why: what === "nothing" ? t("culpritNothing", worst.name, because) : t("culprit", worst.name, precise(worst.ratio), because) };
}

// What is told in a list: every cause, then what comes of it, in one entry for all nodes it happens to.
// [{what, names, text}]
export function findingsOf(marks, t) {
  const all = [...marks].flatMap(([name, list]) => list.map((mark) => ({ name, ...mark })));
  const groups = new Map();
  for (const mark of all.filter((one) => !isCause(one))) {
    const key = `${mark.what} ${mark.culprit ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), mark]);
  }
  const effects = [...groups.values()].map((group) => {
    const [{ what }, last] = [group[0], group.at(-1)];
    const text = group.length > 1 ? `${t(`${what}All`, precise(group[0].ratio), precise(last.ratio))} ${last.why}` : last.text;
    return { what, names: group.map(({ name }) => name), text };
  });
  return [...all.filter(isCause).map(({ what, name, text }) => ({ what, names: [name], text })), ...effects];
}

const SIGNS = { vanishing: "↓", nothing: "0", exploding: "↑" };

// In the picture: a cause is a filled triangle, what comes of it a ring with what happens to δ.
export function MarkSign({ marks, y }) {
  const cause = marks.some(isCause);
  return html`<g class=${`mark ${cause ? "cause" : "effect"}`} data-sign=${cause ? "cause" : marks[0].what} transform=${`translate(4 ${y})`}>
    ${cause ? html`<path d="M-2 11 6 -4 14 11z" /><text x="6" y="9.5">!</text>`
      : html`<circle cx="6" cy="5" r="7" /><text x="6" y="9">${SIGNS[marks[0].what]}</text>`}
    <title>${marks.map((one) => one.text).join("\n")}</title></g>`;
}
