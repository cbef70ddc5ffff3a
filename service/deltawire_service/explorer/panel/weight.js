// The gradient of a parameter: what each node brings, their sum, and one number of it taken apart.
import { html, useState } from "../core/dom.js";
import { Equation, Formula, shareEquation, symbol } from "./equations.js";
import { HeatMap } from "../widgets/heat.js";
import { bracketed, latex, precise } from "../core/numbers.js";
import { cellOf, sharesOf } from "./shares.js";

export function Gradient({ model, place, parameter, step, badge, t }) {
  const [chosen, choose] = useState(0);
  const { name } = parameter;
  const shares = sharesOf(model, name, step);
  const { shape } = shares.gradient;
  const label = `∂L/∂${name}`;
  const shown = shares.missing ? shares.sum : shares.gradient;
  const parts = shown?.numbers && partsOf(model, name, shares, chosen, t);
  return html`<section data-section="gradient" data-gradient=${name}><h3 class="red">${t("gradientTitle", name)}</h3>
    <${Terms} ...${{ model, place, parameter, shares, t }} />
    ${shown && html`<${HeatMap} label=${shares.missing ? `${label}: ${t("soFar")}` : label} tone="red" badge=${shares.missing ? null : badge}
      traced=${shown} t=${t} ...${parts ? { chosen, choose } : {}} />`}
    ${parts && html`<div class="one" data-weight=${name}><b>${t("oneWeight", `${name}[${indexOf(chosen, shape).join(", ")}]`)}</b>
      <ul class="terms">${parts.map((part) => html`<li>${part.what} <span>${part.made}</span> <b class="red">${part.number}</b></li>`)}</ul>
      <small>${t("chooseCell")}</small></div>`}</section>`;
}

// One node alone: its equation. Several, or a regularization: the sum of all terms, then the numbers of each.
function Terms({ model, place, parameter, shares, t }) {
  const terms = shares.all.map(({ node, own, known }) =>
    ({ node, known, equation: shareEquation(model, node, own, known ? model.delta.get(node.name) : null) }));
  if (terms.some((term) => !term.equation)) return null;
  const alone = terms.length === 1 && !shares.l2;
  const written = symbol(alone ? parameter.local : parameter.name);
  const derivative = `\\frac{\\partial L}{\\partial\\, ${written}}`;
  const [first, ...rest] = [...terms.map((term) => term.equation.names), ...(shares.l2 ? [`\\lambda\\, ${written}`] : [])];
  if (alone) {
    const { numbers, shapes } = terms[0].equation;
    return html`<${Equation} equation=${{ names: `${derivative} = ${first}`, numbers: `= ${numbers}`, shapes }} />`;
  }
  const lines = rest.map((term) => `\\\\ &+ ${term}`).join("");
  return html`<${Formula} tex=${`\\begin{aligned} ${derivative} = {}& ${first} ${lines} \\end{aligned}`} />
    <ul class="terms shares">${terms.map(({ node, known, equation }) => html`<li data-share=${node.name}>
      ${node.name === place.name ? html`<b>${t("shareOf", node.name)}</b>` : t("shareOf", node.name)}
      ${known ? html`<${Formula} tex=${equation.numbers} numbers />` : html` <b>?</b> ${t("missing", 1)}`}</li>`)}
      ${shares.l2 > 0 && html`<li data-share>${t("decay")} <${Formula} block=${false} tex=${`\\lambda\\, ${written},\\ \\lambda = ${latex(shares.l2)}`} /></li>`}</ul>`;
}

function indexOf(place, shape) {
  const index = [];
  for (const size of [...shape].reverse()) { index.unshift(place % size); place = Math.floor(place / size); }
  return index;
}

// Of what one number of a gradient is made: each node's share (δ times what came in, where the numbers say that
// it is just that), the regularization, and the sum.
function partsOf(model, name, shares, chosen, t) {
  if (shares.all.some(({ share }) => !share.numbers)) return null;
  const parts = shares.all.map(({ node, share, known }) => (known
    ? { what: t("shareOf", node.name), made: product(model, node, share, chosen), number: precise(cellOf(share.numbers, chosen)) }
    : { what: t("shareOf", node.name), made: "", number: "?" }));
  if (shares.l2) {
    const weight = cellOf(model.params[name], chosen);
    parts.push({ what: t("decay"), made: `λ · w = ${shares.l2} · ${bracketed(precise(weight))} =`, number: precise(shares.l2 * weight) });
  }
  if (parts.length > 1 && !shares.missing) parts.push({ what: t("together"), made: "", number: precise(cellOf(shares.gradient.numbers, chosen)) });
  return parts;
}

function product(model, node, share, chosen) {
  const delta = model.delta.get(node.name)?.numbers;
  const input = model.places.get(node.inputs[0]);
  const came = input?.value?.numbers;
  if (share.shape.length === 1 && node.shape.length === 1 && share.numbers.every((number, i) => number === delta?.[i])) {
    return `δ ${node.name}[${chosen}] =`;
  }
  if (share.shape.length !== 2 || node.shape.length !== 1 || input?.shape.length !== 1 || !delta || !came) return "";
  const [rows, columns] = share.shape;
  if (rows !== delta.length || columns !== came.length) return "";
  const near = (number, other) => Math.abs(number - other) <= 1e-12 * (1 + Math.abs(number));
  if (!share.numbers.every((row, i) => row.every((number, j) => near(number, delta[i] * came[j])))) return "";
  const [i, j] = indexOf(chosen, share.shape);
  return `δ ${node.name}[${i}] · ${input.name}[${j}] = ${bracketed(precise(delta[i]))} · ${bracketed(precise(came[j]))} =`;
}
