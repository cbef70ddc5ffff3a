// The explanation of one place: its value, what arrives, what it sends, and its parameters' gradients.
import { html, useState } from "./dom.js";
import { deltaEquation, Formula, gradientEquation, symbol, valueEquation } from "./equations.js";
import { ConfigForm } from "./forms.js";
import { HeatMap } from "./heat.js";
import { arrivals, chains, edgeKnown, isBackward, stepOf, valueKnown } from "./model.js";
import { bracketed, flat, precise, times } from "./numbers.js";

export function Panel({ model, step, name, t, select, marks, edit }) {
  const place = model.places.get(name);
  if (!place) return html`<section class="panel"><p>${t("start")}</p></section>`;
  const back = isBackward(model, step);
  const came = arrivals(model, name, step);
  const sends = model.edges.filter((edge) => edge.to === name && edge.delta && edgeKnown(model, edge, step));
  return html`<section class="panel" data-panel=${name}>
    <h2>${name} <small>${place.kind ?? t("input")}${place.shape.length ? ` · ${times(place.shape)}` : ""}</small></h2>
    ${place.layer && html`<p class="about">${place.layer.summary}${place.layer.distribution.startsWith("deltawire ") ? "" : html` <em>${t("plugin", place.layer.distribution)}</em>`}</p>`}
    ${(marks.get(name) ?? []).map((mark) => html`<p class="warning" data-mark=${mark.what}><b>${t(`mark_${mark.what}`)}</b> ${mark.text}</p>`)}
    ${place.kind ? html`<${Value} ...${{ model, place, step, t }} />` : html`<${Given} ...${{ place, t }} />`}
    ${back && came.expected > 0 && html`<${Arriving} ...${{ model, place, came, t, select }} />`}
    ${back && sends.map((edge) => html`<${Sending} key=${edge.id} ...${{ model, place, edge, delta: came.sum, t }} />`)}
    ${back && step >= stepOf(model, name) && place.parameters.filter((one) => one.share).map((parameter) => html`
      <${Gradient} key=${parameter.name} ...${{ model, place, parameter, delta: came.sum, t }} />`)}
    ${back && !came.missing && html`<${Chains} ...${{ model, place, t }} />`}
    ${place.kind && html`<details class="fold"><summary>${t("layerForm")}</summary><${ConfigForm} ...${{ place, edit, t }} />
      ${place.parameters.map((parameter) => html`<${HeatMap} label=${parameter.name} traced=${parameterArray(model, parameter)} />`)}</details>`}
  </section>`;
}

function parameterArray(model, parameter) {
  const numbers = model.params[parameter.name];
  const { shape } = model.parameters.find((one) => one.name === parameter.name);
  const all = flat(numbers);
  return { numbers, shape, min: Math.min(...all), max: Math.max(...all), norm: Math.hypot(...all) };
}

function Given({ place, t }) {
  return html`<h3>${t("given")}</h3>${place.shape.length
    ? html`<${HeatMap} label=${place.name} traced=${place.value} tone="green" />`
    : html`<${Formula} tex=${`${symbol(place.name)} = ${precise(place.value.numbers).replace("−", "-")}`} />`}`;
}

function Value({ model, place, step, t }) {
  const equation = valueEquation(model, place);
  const known = valueKnown(model, place.name, step);
  return html`<h3 class="green">${t("valueTitle")}</h3>
    ${equation ? html`<${Formula} tex=${equation.names} />${known && html`<${Formula} tex=${equation.numbers} numbers />`}` : html`<p>${t("noFormula")}</p>`}
    ${known && place.shape.length > 0 && html`<${HeatMap} label=${t("valueOf", place.name)} traced=${place.value} tone="green" />`}`;
}

function Arriving({ model, place, came, t, select }) {
  const array = place.shape.length > 0;
  // Norms do not add up, so of arrays the terms are named, and drawn one by one.
  const written = (term) => (array ? t("fromNode", term.from ?? "loss") : bracketed(precise(term.delta.numbers)));
  const sum = [...came.terms.map(written), ...Array(came.missing).fill("?")].join(" + ");
  const total = !array && came.sum && precise(came.sum.numbers);
  return html`<h3 class="red">${t("arrivingTitle", place.name)}</h3>
    <ul class="terms">${came.terms.map((term) => html`<li>${term.from
      ? html`<button class="link" onClick=${() => select(term.from)}>${t("fromNode", term.from)}</button>` : t("fromLoss")}
      <b class="red">${array ? `‖${precise(term.delta.norm)}‖` : precise(term.delta.numbers)}</b></li>`)}
      ${came.missing > 0 && html`<li>${t("missing", came.missing)} <b>?</b></li>`}</ul>
    ${array && came.terms.length > 1 && came.terms.map((term) => html`<${HeatMap} label=${t("fromNode", term.from ?? "loss")} traced=${term.delta} tone="red" />`)}
    ${(came.missing > 0 || came.terms.length > 1 || !array) && html`<p class="sum" data-sum=${place.name}>δ<sub>${place.name}</sub> = ${came.missing || came.terms.length > 1 ? sum : ""}
      ${came.missing || array ? "" : html`${came.terms.length > 1 ? " = " : ""}<b class="red">${total}</b>`}</p>`}
    ${array && came.sum && !came.missing && html`<${HeatMap} label=${`δ ${place.name}`} traced=${came.sum} tone="red" />`}`;
}

function Sending({ model, place, edge, delta, t }) {
  const equation = deltaEquation(model, place, edge.position, delta, edge.delta);
  const scalar = edge.local && edge.local.shape.length === 0;
  return html`<h3 class="red">${t("sendsTitle", place.name, edge.from)}</h3>
    ${equation && html`<${Formula} tex=${equation.names} /><${Formula} tex=${equation.numbers} numbers />`}
    ${scalar && html`<div class="product" data-product=${edge.id}>
      <span class="factor"><b>${precise(edge.local.numbers)}</b><small>${t("local")}<br />∂${place.name}/∂${edge.from}</small></span><i>×</i>
      <span class="factor"><b class="red">${precise(delta.numbers)}</b><small>${t("upstream")}<br />δ ${place.name}</small></span><i>=</i>
      <span class="factor result"><b class="red">${precise(edge.delta.numbers)}</b><small>${t("sent")}<br />→ ${edge.from}</small></span></div>`}
    ${edge.local && !scalar && html`<div class="maps"><${HeatMap} label=${`${t("local")} ∂${place.name}/∂${edge.from}`} traced=${edge.local} /><i>∘</i>
      <${HeatMap} label=${`${t("upstream")} δ ${place.name}`} traced=${delta} tone="red" /><i>=</i>
      <${HeatMap} label=${`${t("sent")} → ${edge.from}`} traced=${edge.delta} tone="red" /></div>`}
    ${!edge.local && edge.delta.shape.length > 0 && html`<${HeatMap} label=${`${t("sent")} → ${edge.from}`} traced=${edge.delta} tone="red" />`}`;
}

// The gradient of a parameter, and one number of it taken apart.
function Gradient({ model, place, parameter, delta, t }) {
  const [chosen, choose] = useState(0);
  const equation = gradientEquation(model, place, parameter, delta);
  const { share } = parameter;
  const shape = share.shape;
  const whole = model.gradients[parameter.name];
  const parts = share.numbers && onePart(model, place, parameter, delta, chosen, t);
  return html`<h3 class="red">${t("gradientTitle", parameter.name)}</h3>
    ${equation && html`<${Formula} tex=${equation.names} /><${Formula} tex=${equation.numbers} numbers />`}
    ${whole !== undefined && share.numbers !== null && html`<${HeatMap} label=${`∂L/∂${parameter.name}`} tone="red" chosen=${chosen} choose=${choose}
      traced=${described(whole, shape)} />`}
    ${share.numbers === null && html`<${HeatMap} label=${`∂L/∂${parameter.name}`} traced=${share} />`}
    ${parts && html`<div class="one" data-weight=${parameter.name}><b>${t("oneWeight", `${parameter.name}[${indexOf(chosen, shape).join(", ")}]`)}</b>
      <ul class="terms">${parts.map((part) => html`<li>${part.what} <span>${part.made}</span> <b class="red">${part.number}</b></li>`)}</ul>
      <small>${t("chooseCell")}</small></div>`}`;
}

const described = (numbers, shape) => {
  const all = flat(numbers);
  return { numbers, shape, min: Math.min(...all), max: Math.max(...all), norm: Math.hypot(...all) };
};

function indexOf(place, shape) {
  const index = [];
  for (const size of [...shape].reverse()) { index.unshift(place % size); place = Math.floor(place / size); }
  return index;
}

// Of what one number of a gradient is made: each node's share (δ times what came in, where the numbers say that
// it is just that), the regularization, and the sum.
function onePart(model, place, parameter, delta, chosen, t) {
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
  const outer = share.numbers.every((row, i) => row.every((number, j) => Math.abs(number - delta[i] * came[j]) <= 1e-12 * (1 + Math.abs(number))));
  if (!outer) return "";
  const [i, j] = indexOf(chosen, share.shape);
  return `δ ${node.name}[${i}] · ${input.name}[${j}] = ${bracketed(precise(delta[i]))} · ${bracketed(precise(came[j]))} =`;
}

// In circuits: every way to the loss as the product of its local gradients.
function Chains({ model, place, t }) {
  const ways = chains(model, place.name);
  if (!ways.length) return null;
  const products = ways.map((way) => way.reduce((product, edge) => product * edge.local.numbers, model.places.get(way.at(-1).to).weight));
  return html`<h3>${t(ways.length > 1 ? "waysTitle" : "wayTitle", place.name)}</h3>
    <ul class="ways" data-ways=${place.name}>${ways.map((way, i) => html`<li><span>${[way[0].from, ...way.map((edge) => edge.to)].join(" → ")}</span>
      <b>${way.map((edge) => bracketed(precise(edge.local.numbers))).join(" · ")} = <span class="red">${precise(products[i])}</span></b></li>`)}
      ${ways.length > 1 && html`<li><span>${t("together")}</span><b>${products.map((number) => bracketed(precise(number))).join(" + ")} = <span class="red">${precise(products.reduce((a, b) => a + b, 0))}</span></b></li>`}</ul>`;
}
