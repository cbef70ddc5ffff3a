// Every way from a place to the loss: in circuits as the product of its local gradients, of arrays by the norms of δ.
import { html } from "../core/dom.js";
import { Formula, symbol, valueEquation } from "./equations.js";
import { chains } from "../core/model.js";
import { bracketed, precise } from "../core/numbers.js";

export function Chains({ model, place, select, t }) {
  const ways = chains(model, place.name);
  if (!ways.length) return html`<${Trails} ...${{ model, place, select, t }} />`;
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

const MOST = 8; // nodes of a trail

// Of arrays there is no product to be written in a line: what each path brings, and δ at the nodes it came by.
function Trails({ model, place, select, t }) {
  const sent = (name) => model.edges.filter((edge) => edge.from === name && edge.delta);
  const trails = sent(place.name).map((first) => {
    const trail = [first];
    for (let more = sent(first.to); more.length; more = sent(trail.at(-1).to)) {
      trail.push(more.reduce((a, b) => (b.delta.norm > a.delta.norm ? b : a)));
    }
    return trail;
  });
  if (!trails.length) return null;
  const shown = (trail) => (trail.length > MOST ? [...trail.slice(0, MOST - 2), null, trail.at(-1)] : trail);
  return html`<section data-section="ways"><h3 class="red">${t(trails.length > 1 ? "trailsTitle" : "trailTitle", place.name)}</h3>
    <ul class="ways" data-trails=${place.name}>${trails.map((trail) => html`<li><span>
      <b class="red">‖${precise(trail[0].delta.norm)}‖</b>${shown(trail).map((edge) => (edge ? html` ← <i><button class="link" onClick=${() => select(edge.to)}>${edge.to}</button>
        ${" "}<small>‖${precise(model.delta.get(edge.to).norm)}‖</small></i>` : " ← …"))}</span></li>`)}</ul>
    <p class="quiet norms">${t("trailNote")}</p></section>`;
}
