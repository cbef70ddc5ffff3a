// The gradient check: every red number beside one that backprop had no part in.
import * as api from "./api.js";
import { html } from "./dom.js";
import { arrivals } from "./model.js";
import { flat, largest } from "./numbers.js";
import { opened, request } from "./session.js";

const NUMBERS = 3000; // checked in one request, about: each costs three forward passes

const EXACT = 1e-9; // as the service's own check has it: relative to the array's largest number, or to 1

// The numbers shown against the complex step, relative to the largest of them; `what`: params/…, data/…, deltas/…, edges/….
function badgeOf({ passed, worst }, what, shown) {
  const size = largest(shown);
  const off = Math.max(0, ...worst.map(({ index, complex_step }) => Math.abs(at(shown, index) - complex_step)));
  const difference = off / (size || 1);
  const text = difference ? difference.toExponential(0).replace("e-", "e−") : "0";
  return { what, passed: passed && off <= EXACT * Math.max(1, size), difference, text };
}

const at = (numbers, index) => index.reduce((part, place) => part[place], numbers);

// what -> badge. Gradients and deltas in one request; where paths meet, what each of them brings in one of its own.
export async function checked({ document, row, model }) {
  const badges = new Map();
  const add = (what, array, shown) => badges.set(what, badgeOf(array, what, shown));
  const asked = request(document, row);
  const places = new Map(model.backward.map((name) => [name, model.delta.get(name)]).filter(([, delta]) => delta.numbers !== null));
  const count = places.size + model.parameters.length + Object.keys(asked.data).length;
  const samples = Math.max(2, Math.min(10, Math.floor(NUMBERS / count ** 1.5)));
  const { arrays } = await api.check({ ...asked, deltas: [...places.keys()], samples });
  for (const array of arrays) {
    const [place, name] = array.name.split("/");
    const shared = place === "data" && document.network.inputs[name].shared;
    if (place === "params") add(array.name, array, model.gradients[name]);
    else {
      const shown = arrivals(model, name, model.last).sum?.numbers;
      if (shown !== undefined) add(array.name, array, shared ? shown : [shown]);
    }
  }
  for (const edge of model.edges.filter((one) => one.delta)) {
    const what = `edges/${edge.id}`;
    if (arrivals(model, edge.from, model.last).expected === 1) {
      const same = badges.get(`deltas/${edge.from}`) ?? badges.get(`data/${edge.from}`);
      if (same) badges.set(what, { ...same, what });
    } else if (edge.delta.numbers !== null) {
      const { arrays: [array] } = await api.check({ ...opened(asked, model, edge), samples });
      add(what, array, [edge.delta.numbers]);
    }
  }
  return badges;
}

export const ofPlace = (badges, name) => badges.get(`deltas/${name}`) ?? badges.get(`data/${name}`);

export const sign = (badge) => `${badge.passed ? "✓" : "✗"} ${badge.text}`;

export function Badge({ badge, t }) {
  return badge ? html`<span class=${`badge ${badge.passed ? "passed" : "failed"}`} data-badge=${badge.what}
    title=${t("badgeTitle")}>${sign(badge)}</span>` : null;
}
