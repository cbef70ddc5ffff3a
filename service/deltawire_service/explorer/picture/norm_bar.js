// Draws the norm of a place's delta as a bar on a log scale, for pictures too small for numbers.
import { html } from "../core/dom.js";
import { brief } from "../core/numbers.js";
import { arrivals } from "../core/steps.js";
import { fontSize, widthOf } from "./fit.js";

/** @import { Model } from "../core/model.js" */

const DECADES = 12; // of the scale, at most: a smaller norm has no bar

// Returns the scale, from the power of ten below the smallest ‖δ‖ to the one above the largest; null without any δ.
/** @param {Model} model */
export function scaleOf(model) {
  const norms = [...model.places.keys()].map((name) => arrivals(model, name, model.last).sum?.norm).filter((norm) => norm > 0 && norm < Infinity);
  if (!norms.length) return null;
  const high = Math.ceil(Math.log10(Math.max(...norms)) - 1e-9);
  const low = Math.max(high - DECADES, Math.min(high - 1, Math.floor(Math.log10(Math.min(...norms)) + 1e-9)));
  const fraction = (norm) => (norm > 0 ? Math.min(1, Math.max(0, (Math.log10(norm) - low) / (high - low))) : 0);
  return { low: 10 ** low, high: 10 ** high, fraction };
}

// `y`: its top, below the box or inside it. `room`: the free height there, which the norm itself needs to be written.
/** @param {{ zoom: number, [other: string]: any }} props */
export function NormBar({ norm, scale, zoom, y, width, room }) {
  const text = brief(norm);
  const [size, thick] = [fontSize(11, zoom), 4 / zoom];
  const written = room > size + thick && width * 1.25 > widthOf(text, size);
  return html`<g class="norm-bar" transform=${`translate(0 ${y})`}>
    <rect class="track" width=${width} height=${thick} /><rect width=${width * scale.fraction(norm)} height=${thick} />
    ${written && html`<text x=${width / 2} y=${thick + 0.92 * size} font-size=${size}>${text}</text>`}</g>`;
}
