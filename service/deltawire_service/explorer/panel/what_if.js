// Says what the gradient predicted for a change of numbers, and what became of the loss.
import { html } from "../core/dom.js";
import { bracketed } from "../core/latex.js";
import { precise } from "../core/numbers.js";
import { elementName } from "./contributions.js";

/** @import { Term, WhatIf as Result } from "../core/what_if/prediction.js"
 *  @import { Model } from "../core/model.js" */

const WRITTEN = 3; // products of a sum, at most
const EXACT = 1e-9; // of the largest of the numbers: a difference that rounding leaves
const REACH = 0.1; // of the predicted change: beyond it, the step is large for the curve

// `result`: null where nothing was changed. It is said to screen readers as soon as it comes.
/** @param {{ result: Result | null, model: Model, t: Translate, [other: string]: any }} props */
export function WhatIf({ result, model, dismiss, t }) {
  const leave = (event) => { // its button is gone: the focus goes to the panel
    const aside = event.target.closest("aside");
    dismiss();
    aside?.focus();
  };
  return html`<div class="what-if-region" role="status">${result && html`<section class="what-if" data-what-if=${result.reason ?? "numbers"}>
    <header><h2>${t("whatIf")}</h2><button class="link" data-what-if-dismiss title=${t("whatIfDismiss")} aria-label=${t("whatIfDismiss")} onClick=${leave}>✕</button></header>
    ${result.reason ? html`<p>${t(`whatIf_${result.reason}`, result.names.join(", "))}</p>${result.before && html`<${Actual} ...${{ result, t }} />`}`
      : html`<${Prediction} ...${{ result, model, t }} />`}</section>`}</div>`;
}

/** @param {{ result: Result, model: Model, t: Translate, [other: string]: any }} props */
function Prediction({ result: { terms, predicted, from, to }, model, t }) {
  const [shown, rest] = [terms.slice(0, WRITTEN), terms.length - WRITTEN];
  const sum = shown.map((term) => `${bracketed(precise(term.gradient))} · ${bracketed(precise(term.to - term.from))}`).join(" + ");
  const difference = to - from - predicted;
  const exact = Math.abs(difference) <= EXACT * Math.max(Math.abs(from), Math.abs(to), ...terms.map(({ product }) => Math.abs(product)));
  const note = exact ? "whatIfExact" : Math.abs(difference) <= REACH * Math.abs(predicted) ? "whatIfNear" : "whatIfFar";
  return html`<p>${shown.map((term, i) => html`${i > 0 && ", "}<b class="green">${nameOf(model, term)}</b> ${precise(term.from)} → ${precise(term.to)}`)}${
    rest > 0 && ` ${t("whatIfMore", rest)}`}</p>
    <dl><div><dt>${t("whatIfPredicted")}</dt><dd data-predicted>∇·Δx = ${sum}${rest > 0 && ` + …`} = <b class="red">${precise(predicted)}</b></dd></div>
      <${Actual} ...${{ result: { from, to }, t }} inside />
      <div><dt>${t("whatIfDifference")}</dt><dd data-difference><b>${precise(exact ? 0 : difference)}</b></dd></div></dl>
    <p class="quiet">${t(note)}</p>`;
}

// `inside`: it is a line of a list.
/** @param {{ t: Translate, [other: string]: any }} props */
function Actual({ result: { from, to }, inside, t }) {
  const line = html`<div><dt>${t("whatIfActual")}</dt><dd data-actual>${precise(from)} → ${precise(to)}: <b>${
    typeof to === "number" && typeof from === "number" ? precise(to - from) : "?"}</b></dd></div>`;
  return inside ? line : html`<dl>${line}</dl>`;
}

// The name of a number, with its indices in an array.
/** @param {Model} model @param {Term} term */
function nameOf(model, { name, at }) {
  const { shape } = model.parameters.find((one) => one.name === name) ?? model.places.get(name);
  return elementName(name, at, shape);
}
