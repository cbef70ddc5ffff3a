// Shows the gradient of a parameter: its contributions, their sum, and one of its numbers term by term.
import { sizeOf, summary } from "../core/arrays.js";
import { html, useState } from "../core/dom.js";
import { bracketed, latex } from "../core/latex.js";
import { precise } from "../core/numbers.js";
import { lambdaOf } from "../core/model.js";
import { arrivals } from "../core/steps.js";
import { HeatMap } from "../widgets/heat_map.js";
import { Component } from "./component.js";
import { contributionsTo, elementName, indicesOf, numberAt } from "./contributions.js";
import { contributionEquation, symbol } from "./equations.js";
import { Equation, Formula } from "./formula.js";

/** @import { Model, Place } from "../core/model.js" */

/** @param {{ model: Model, place: Place, step: number, t: Translate, [other: string]: any }} props */
export function Gradient({ model, place, parameter, step, badge, t }) {
  const [clicked, choose] = useState(0);
  const { name } = parameter;
  const contributions = contributionsTo(model, name, step);
  const { shape } = contributions.gradient;
  const chosen = clicked < sizeOf(shape) ? clicked : 0; // another network may have fewer numbers of this name
  const label = `∂L/∂${name}`;
  const shown = contributions.missing ? contributions.sum : contributions.gradient;
  const terms = shown?.numbers && termsOf(model, name, contributions, chosen, t);
  return html`<section data-section="gradient" data-gradient=${name}><h3 class="red">${t("gradientTitle", name)}</h3>
    <${Sum} ...${{ model, place, parameter, contributions, t }} />
    ${shown && html`<${HeatMap} label=${contributions.missing ? `${label}: ${t("soFar")}` : label} tone="red" badge=${contributions.missing ? null : badge}
      traced=${shown} t=${t} ...${terms ? { chosen, choose } : {}} />`}
    ${terms && html`<div class="one" data-weight=${name}><b>${t("oneWeight", elementName(name, chosen, shape))}</b>
      <ul class="terms">${terms.map((term) => html`<li>${term.what} <span>${term.product}</span> <b class="red">${term.number}</b></li>`)}</ul>
      <small>${t("chooseCell")}</small></div>`}</section>`;
}

// Shows the gradient of a learned input: the delta that arrives at it, and the regularization.
/** @param {{ model: Model, place: Place, t: Translate, [other: string]: any }} props */
export function LearnedGradient({ model, place, badge, t }) {
  const { name, shape } = place;
  const lambda = lambdaOf(model, name);
  const terms = `\\delta_{${symbol(name)}}${lambda ? ` + \\lambda\\, ${symbol(name)}` : ""}`;
  return html`<section data-section="gradient" data-gradient=${name}><h3 class="red">${t("gradientTitle", name)}</h3>
    <${Formula} tex=${`\\frac{\\partial L}{\\partial\\, ${symbol(name)}} = ${terms}`} />
    ${lambda > 0 && html`<p>${t("decay")} <${Formula} block=${false} tex=${`\\lambda = ${latex(lambda)}`} /></p>`}
    <${Component} label=${`∂L/∂${name}`} traced=${summary(model.gradients[name], shape)} terms=${arrivals(model, name, model.last).terms}
      decay=${lambda > 0 && { lambda, numbers: model.params[name] }} ...${{ model, place, badge, t }} /></section>`;
}

// The equation of a single contribution; of several, or with a regularization, their sum and then the numbers of each.
/** @param {{ model: Model, place: Place, t: Translate, [other: string]: any }} props */
function Sum({ model, place, parameter, contributions, t }) {
  const terms = contributions.all.map(({ node, own, known }) =>
    ({ node, known, equation: contributionEquation(model, node, own, known ? model.delta.get(node.name) : null) }));
  if (terms.some((term) => !term.equation)) return null;
  const alone = terms.length === 1 && !contributions.l2;
  const written = symbol(alone ? parameter.local : parameter.name);
  const derivative = `\\frac{\\partial L}{\\partial\\, ${written}}`;
  const [first, ...rest] = [...terms.map((term) => term.equation.names), ...(contributions.l2 ? [`\\lambda\\, ${written}`] : [])];
  if (alone) {
    const { numbers, definitions, shapes } = terms[0].equation;
    return html`<${Equation} equation=${{ names: `${derivative} = ${first}`, numbers: `= ${numbers}`, definitions, shapes }} />`;
  }
  const lines = rest.map((term) => `\\\\ &+ ${term}`).join("");
  return html`<${Formula} tex=${`\\begin{aligned} ${derivative} = {}& ${first} ${lines} \\end{aligned}`} />
    <ul class="terms contributions">${terms.map(({ node, known, equation }) => html`<li data-contribution=${node.name}>
      ${node.name === place.name ? html`<b>${t("contributionOf", node.name)}</b>` : t("contributionOf", node.name)}
      ${known ? html`<${Formula} tex=${equation.numbers || equation.names} numbers />` : html` <b>?</b> ${t("missing", 1)}`}</li>`)}
      ${contributions.l2 > 0 && html`<li data-contribution>${t("decay")} <${Formula} block=${false} tex=${`\\lambda\\, ${written},\\ \\lambda = ${latex(contributions.l2)}`} /></li>`}</ul>`;
}

// Returns the terms {what, product, number} of one number of a gradient: each node's, the regularization, and the sum.
/** @param {Model} model @param {Translate} t */
function termsOf(model, name, contributions, chosen, t) {
  if (contributions.all.some(({ contribution }) => !contribution.numbers)) return null;
  const terms = contributions.all.map(({ node, contribution, known }) => (known
    ? { what: t("contributionOf", node.name), product: productOf(model, node, contribution, chosen), number: precise(numberAt(contribution.numbers, chosen)) }
    : { what: t("contributionOf", node.name), product: "", number: "?" }));
  if (contributions.l2) {
    const weight = numberAt(model.params[name], chosen);
    terms.push({ what: t("decay"), product: `λ · w = ${contributions.l2} · ${bracketed(precise(weight))} =`, number: precise(contributions.l2 * weight) });
  }
  if (terms.length > 1 && !contributions.missing) {
    terms.push({ what: t("together"), product: "", number: precise(numberAt(contributions.gradient.numbers, chosen)) });
  }
  return terms;
}

// δ, or δ times the input, where all numbers of the contribution are just that; else no text.
/** @param {Model} model */
function productOf(model, node, contribution, chosen) {
  const delta = model.delta.get(node.name)?.numbers;
  const source = model.places.get(node.inputs[0]);
  const input = source?.value?.numbers;
  if (contribution.shape.length === 1 && node.shape.length === 1 && contribution.numbers.every((number, i) => number === delta?.[i])) {
    return `δ ${node.name}[${chosen}] =`;
  }
  if (contribution.shape.length !== 2 || node.shape.length !== 1 || source?.shape.length !== 1 || !delta || !input) return "";
  const [rows, columns] = contribution.shape;
  if (rows !== delta.length || columns !== input.length) return "";
  const near = (number, other) => Math.abs(number - other) <= 1e-12 * (1 + Math.abs(number));
  if (!contribution.numbers.every((row, i) => row.every((number, j) => near(number, delta[i] * input[j])))) return "";
  const [i, j] = indicesOf(chosen, contribution.shape);
  return `δ ${node.name}[${i}] · ${source.name}[${j}] = ${bracketed(precise(delta[i]))} · ${bracketed(precise(input[j]))} =`;
}
