// Predicts what an input that is twice as large would do to the loss, before anyone tries it.
import { flat } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { bracketed } from "../core/latex.js";
import { precise } from "../core/numbers.js";

/** @import { Place } from "../core/model.js" */

const WRITTEN = 4; // products of a sum, at most

// Tells whether a place is an input whose numbers a reader can double.
/** @param {Place} place */
export const canDouble = ({ kind, spec }) => !kind && !spec.parameter && !spec.noise && spec.dtype !== "int64";

// `delta`: the numbers of the whole δ that arrives; null where they are too many.
/** @param {{ place: Place, delta: any, t: Translate, [other: string]: any }} props */
export function Doubled({ place, delta, t }) {
  if (delta === null || place.value.numbers === null) return null;
  const [numbers, slopes] = [flat(place.value.numbers), flat(delta)];
  const products = numbers.map((number, i) => ({ number, slope: slopes[i], product: slopes[i] * number }));
  const shown = [...products].sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, WRITTEN);
  const total = products.reduce((sum, { product }) => sum + product, 0);
  return html`<section data-section="doubled"><h3 class="red">${t("doubledTitle", place.name)}</h3>
    <p class="doubled" data-doubled=${place.name}>∇·Δ${place.name} = ${shown.map(({ number, slope }) => `${bracketed(precise(slope))} · ${bracketed(precise(number))}`).join(" + ")}${
      products.length > shown.length && " + …"} = <b class="red">${precise(total)}</b></p>
    <p class="quiet">${t("doubledNote")}</p></section>`;
}
