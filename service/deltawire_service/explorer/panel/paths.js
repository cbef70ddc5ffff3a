// Shows the paths from a place to the loss: of single numbers as products of local gradients, of arrays by the norms of δ.
import { grouped } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { bracketed } from "../core/latex.js";
import { precise } from "../core/numbers.js";
import { symbol, valueEquation } from "./equations.js";
import { Formula } from "./formula.js";

/** @import { Edge, Model, Place } from "../core/model.js" */

const PATHS = 6; // written as products, at most
const NODES = 8; // written of a path of arrays, at most

/** @param {{ model: Model, place: Place, select: (name: string) => void, t: Translate, [other: string]: any }} props */
export function Paths({ model, place, select, t }) {
  const paths = pathsToLoss(model, place.name);
  if (!paths.length) return html`<${NormPaths} ...${{ model, place, select, t }} />`;
  const products = paths.map((path) => path.reduce((product, edge) => product * edge.local.numbers, model.places.get(path[path.length - 1].to).weight));
  const sum = products.reduce((a, b) => a + b, 0);
  return html`<section data-section="paths"><h3 class="red">${t(paths.length > 1 ? "pathsTitle" : "pathTitle", place.name)}</h3>
    <ul class="paths" data-paths=${place.name}>${paths.map((path, i) => html`<li><span>${path[0].from}${path.map((edge) => ` → ${edge.to}${edge.mark}`).join("")}</span>
      <table class="factors">${path.map((edge) => html`<${Factor} ...${{ model, edge, select }} />`)}</table>
      <b>${path.map((edge) => bracketed(precise(edge.local.numbers))).join(" · ")} = <span class="red">${precise(products[i])}</span></b></li>`)}
      ${paths.length > 1 && html`<li><span>${t("together")}</span>
        <b>${products.map((number) => bracketed(precise(number))).join(" + ")} = <span class="red">${precise(sum)}</span></b></li>`}</ul></section>`;
}

// Returns each path from a place to the loss as its edges; none where there are too many, or arrays on the way.
/** @param {Model} model */
function pathsToLoss(model, name) {
  const paths = [];
  let impossible = false;
  const walk = (at, path) => {
    if (paths.length > PATHS) { impossible = true; return; }
    if (model.places.get(at).weight) paths.push([...path]);
    for (const edge of model.edges) {
      if (edge.from !== at || !edge.delta || impossible) continue;
      if (!edge.local || edge.local.shape.length) { impossible = true; return; }
      walk(edge.to, [...path, edge]);
    }
  };
  walk(name, []);
  return impossible || paths.length > PATHS ? [] : paths.filter((path) => path.length);
}

// One factor of a path, and the equation that it is the derivative of.
/** @param {{ model: Model, edge: Edge, select: (name: string) => void, [other: string]: any }} props */
function Factor({ model, edge, select }) {
  const node = model.places.get(edge.to);
  const equation = valueEquation(model, node);
  const derivative = `\\dfrac{\\partial ${symbol(edge.to)}}{\\partial ${symbol(edge.from)}${edge.twin === null ? "" : `^{(${edge.twin})}`}}`;
  return html`<tr><td><${Formula} block=${false} tex=${`${derivative} = ${precise(edge.local.numbers).replace("−", "-")}`} /></td>
    <td>${equation && html`<${Formula} block=${false} tex=${`\\displaystyle ${equation.names}`} />`}</td>
    <td><button class="link" onClick=${() => select(edge.to)}>${edge.to}</button></td></tr>`;
}

// Arrays have no product that fits in a line: shows what each path brings, the most first, and ‖δ‖ at the nodes on its way.
/** @param {{ model: Model, place: Place, select: (name: string) => void, t: Translate, [other: string]: any }} props */
function NormPaths({ model, place, select, t }) {
  const leaving = grouped(model.edges.filter((edge) => edge.delta), (edge) => edge.from);
  const sent = (name) => leaving.get(name) ?? [];
  const paths = sent(place.name).map((first) => {
    const path = [first];
    for (let next = sent(first.to); next.length; next = sent(path[path.length - 1].to)) {
      path.push(next.reduce((a, b) => (b.delta.norm > a.delta.norm ? b : a)));
    }
    return path;
  }).sort(([one], [other]) => other.delta.norm - one.delta.norm);
  if (!paths.length) return null;
  const shown = (path) => (path.length > NODES ? [...path.slice(0, NODES - 2), null, path[path.length - 1]] : path);
  return html`<section data-section="paths"><h3 class="red">${t(paths.length > 1 ? "normPathsTitle" : "normPathTitle", place.name)}</h3>
    <ul class="paths" data-norm-paths=${place.name}>${paths.map((path) => html`<li><span>
      <b class="red">‖${precise(path[0].delta.norm)}‖</b>${shown(path).map((edge) => (edge ? html` ← <i><button class="link" onClick=${() => select(edge.to)}>${edge.to}</button>${edge.mark}
        ${" "}<small>‖${precise(model.delta.get(edge.to).norm)}‖</small></i>` : " ← …"))}</span></li>`)}</ul>
    <p class="quiet norms">${t("normPathNote")}</p></section>`;
}
