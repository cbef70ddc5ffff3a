// In circuits: every way from a place to the loss, as the product of its local gradients.
import { html } from "./dom.js";
import { Formula, symbol, valueEquation } from "./equations.js";
import { chains } from "./model.js";
import { bracketed, precise } from "./numbers.js";

export function Chains({ model, place, select, t }) {
  const ways = chains(model, place.name);
  if (!ways.length) return null;
  const products = ways.map((way) => way.reduce((product, edge) => product * edge.local.numbers, model.places.get(way.at(-1).to).weight));
  const sum = products.reduce((a, b) => a + b, 0);
  return html`<section data-section="ways"><h3 class="red">${t(ways.length > 1 ? "waysTitle" : "wayTitle", place.name)}</h3>
    <ul class="ways" data-ways=${place.name}>${ways.map((way, i) => html`<li><span>${[way[0].from, ...way.map((edge) => edge.to)].join(" → ")}</span>
      <table class="factors">${way.map((edge) => html`<${Factor} ...${{ model, edge, select }} />`)}</table>
      <b>${way.map((edge) => bracketed(precise(edge.local.numbers))).join(" · ")} = <span class="red">${precise(products[i])}</span></b></li>`)}
      ${ways.length > 1 && html`<li><span>${t("together")}</span>
        <b>${products.map((number) => bracketed(precise(number))).join(" + ")} = <span class="red">${precise(sum)}</span></b></li>`}</ul></section>`;
}

// One step of the chain, and the equation it is the derivative of.
function Factor({ model, edge, select }) {
  const node = model.places.get(edge.to);
  const equation = valueEquation(model, node);
  const derivative = `\\dfrac{\\partial ${symbol(edge.to)}}{\\partial ${symbol(edge.from)}}`;
  return html`<tr><td><${Formula} block=${false} tex=${`${derivative} = ${precise(edge.local.numbers).replace("−", "-")}`} /></td>
    <td>${equation && html`<${Formula} block=${false} tex=${`\\displaystyle ${equation.names}`} />`}</td>
    <td><button class="link" onClick=${() => select(edge.to)}>${edge.to}</button></td></tr>`;
}
