// Takes one number of an array's delta apart: what each edge sends to it, and how that number is made.
import { flat, largestAt, sizeOf } from "../core/arrays.js";
import { html, useState } from "../core/dom.js";
import { bracketed } from "../core/latex.js";
import { precise } from "../core/numbers.js";
import { HeatMap } from "../widgets/heat_map.js";
import { elementName, numberAt } from "./contributions.js";

/** @import { Traced } from "../core/arrays.js"
 *  @import { Edge, Model, Place } from "../core/model.js" */

const WRITTEN = 6; // products of a sum, at most
const NEAR = 1e-9; // of the size of its terms: the rule for a number must give the one that was sent

// Draws the delta of a place, of which a click chooses one number. `decay`: λ and the numbers of a learned input.
/** @param {{ model: Model, place: Place, traced: Traced, t: Translate, [other: string]: any }} props */
export function Component({ model, place, traced, terms, label, badge, decay, t }) {
  const [clicked, choose] = useState(null);
  const numbers = traced.numbers && flat(traced.numbers);
  const apart = numbers && place.shape.length > 0 && terms.every((term) => term.delta.numbers !== null);
  const chosen = clicked !== null && clicked < sizeOf(place.shape) ? clicked : numbers ? largestAt(numbers) : 0;
  return html`<${HeatMap} label=${label} traced=${traced} tone="red" badge=${badge} t=${t} ...${apart ? { chosen, choose } : {}} />
    ${apart && html`<div class="one" data-component=${place.name}><b>${t("oneWeight", elementName(place.name, chosen, place.shape))}</b>
      <ul class="apart">${terms.map((term) => html`<li>${t("fromNode", term.from ? term.from + term.edge.mark : "loss")}: <b class="red">${precise(numberAt(term.delta.numbers, chosen))}</b>
          <${Products} lines=${productsOf(model, term.edge, chosen, t)} /></li>`)}
        ${decay && html`<li>${t("decay")} <span>λ · ${elementName(place.name, chosen, place.shape)} = ${decay.lambda} · ${bracketed(precise(numberAt(decay.numbers, chosen)))} =</span>
          <b class="red">${precise(decay.lambda * numberAt(decay.numbers, chosen))}</b></li>`}
        ${(terms.length > 1 || decay) && html`<li>${t("together")} <b class="red">${precise(numbers[chosen])}</b></li>`}</ul>
      <small>${t("chooseCell")}</small></div>`}`;
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// Each product in a line of its own.
function Products({ lines }) {
  return lines.length > 0 && html`<ul class="products">${lines.map(([what, written, number]) => html`<li>${what} = ${written}${written && " = "}<b>${number}</b></li>`)}</ul>`;
}

// Returns how an edge's number is made, as lines [what, factors, number]: from the local gradient, or from the weights, where
// that gives every number sent; the largest products first, and the others together.
/** @param {Model} model @param {Edge | undefined} edge @param {Translate} t */
function productsOf(model, edge, chosen, t) {
  const delta = edge && model.delta.get(edge.to);
  if (!edge || !delta?.numbers) return [];
  const [sent, upstream] = [flat(edge.delta.numbers), flat(delta.numbers)];
  const rule = [elementwise, weighted].map((find) => find(edge, sent.length, upstream, model)).find((one) => one && gives(one, sent));
  if (!rule) return [];
  const products = rule(chosen).map(([factor, number, name, at]) => ({ factor, number, name, at, product: factor * number }))
    .sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const [shown, rest] = [products.slice(0, WRITTEN), products.slice(WRITTEN)];
  const lines = shown.map(({ factor, number, name, at, product }) =>
    [`${name} · δ ${elementName(edge.to, at, delta.shape)}`, `${bracketed(precise(factor))} · ${bracketed(precise(number))}`, precise(product)]);
  return rest.length ? [...lines, [t("otherTerms", rest.length), "", precise(sum(rest.map((one) => one.product)))]] : lines;
}

// Tells whether a rule, from a flat index to [[factor, δ, name, flat index of δ]], gives every number that was sent.
const gives = (rule, sent) => sent.every((number, i) => {
  const products = rule(i).map(([factor, delta]) => factor * delta);
  return Math.abs(sum(products) - number) <= NEAR * (Math.abs(number) + sum(products.map(Math.abs)));
});

/** @param {Edge} edge @param {number} size @param {number[]} upstream */
function elementwise(edge, size, upstream) {
  const local = edge.local?.numbers && flat(edge.local.numbers);
  if (local?.length !== size || upstream.length !== size) return null;
  return (i) => [[local[i], upstream[i], `∂${edge.to}/∂${elementName(edge.from, i, edge.local.shape)}`, i]];
}

// Wᵀδ, of a matrix on either side.
/** @param {Edge} edge @param {number} size @param {number[]} upstream @param {Model} model */
function weighted(edge, size, upstream, model) {
  const parameter = model.places.get(edge.to).parameters.find(({ name }) => model.parameters.find((one) => one.name === name).shape.length === 2);
  if (!parameter) return null;
  const { shape } = model.parameters.find((one) => one.name === parameter.name);
  if (sizeOf(shape) !== size * upstream.length) return null;
  const weight = model.params[parameter.name];
  const across = shape[0] === upstream.length && shape[1] === size;
  return (i) => upstream.map((delta, j) => [across ? weight[j][i] : weight[i][j], delta, `${parameter.local}[${across ? `${j}, ${i}` : `${i}, ${j}`}]`, j]);
}
