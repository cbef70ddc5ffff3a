// The gradient of a parameter, and one number of it taken apart.
import { html, useState } from "./dom.js";
import { Formula, gradientEquation } from "./equations.js";
import { HeatMap } from "./heat.js";
import { summary } from "./model.js";
import { bracketed, flat, precise } from "./numbers.js";

export function Gradient({ model, place, parameter, delta, badge, t }) {
  const [chosen, choose] = useState(0);
  const equation = gradientEquation(model, place, parameter, delta);
  const { share } = parameter;
  const { shape } = share;
  const whole = model.gradients[parameter.name];
  const label = `∂L/∂${parameter.name}`;
  const parts = share.numbers && onePart(model, parameter, chosen, t);
  return html`<h3 class="red">${t("gradientTitle", parameter.name)}</h3>
    ${equation && html`<${Formula} tex=${equation.names} /><${Formula} tex=${equation.numbers} numbers />`}
    ${share.numbers === null
      ? html`<${HeatMap} label=${label} traced=${share} badge=${badge} t=${t} />`
      : html`<${HeatMap} label=${label} tone="red" chosen=${chosen} choose=${choose} badge=${badge} t=${t} traced=${summary(whole, shape)} />`}
    ${parts && html`<div class="one" data-weight=${parameter.name}><b>${t("oneWeight", `${parameter.name}[${indexOf(chosen, shape).join(", ")}]`)}</b>
      <ul class="terms">${parts.map((part) => html`<li>${part.what} <span>${part.made}</span> <b class="red">${part.number}</b></li>`)}</ul>
      <small>${t("chooseCell")}</small></div>`}`;
}

function indexOf(place, shape) {
  const index = [];
  for (const size of [...shape].reverse()) { index.unshift(place % size); place = Math.floor(place / size); }
  return index;
}

// Of what one number of a gradient is made: each node's share (δ times what came in, where the numbers say that
// it is just that), the regularization, and the sum.
function onePart(model, parameter, chosen, t) {
  const parts = [];
  let sum = 0;
  for (const node of model.places.values()) {
    const own = node.parameters?.find((one) => one.name === parameter.name && one.share?.numbers);
    if (!own) continue;
    const number = flat(own.share.numbers)[chosen];
    sum += number;
    parts.push({ what: t("shareOf", node.name), made: product(model, node, own.share, chosen), number: precise(number) });
  }
  const weight = flat(model.params[parameter.name])[chosen];
  const { l2 = 0 } = model.regularization ?? {};
  const whole = flat(model.gradients[parameter.name])[chosen];
  if (l2 && Math.abs(whole - sum - l2 * weight) < Math.abs(whole - sum)) { // it is among the regularized ones
    parts.push({ what: t("decay"), made: `λ · w = ${l2} · ${bracketed(precise(weight))} =`, number: precise(l2 * weight) });
  }
  if (parts.length > 1) parts.push({ what: t("together"), made: "", number: precise(whole) });
  return parts;
}

function product(model, node, share, chosen) {
  const delta = model.delta.get(node.name)?.numbers;
  const input = model.places.get(node.inputs[0]);
  const came = input?.value?.numbers;
  if (share.shape.length === 1 && node.shape.length === 1 && flat(share.numbers).every((number, i) => number === delta?.[i])) {
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
