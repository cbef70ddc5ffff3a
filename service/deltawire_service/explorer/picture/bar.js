// From far away: how large what has arrived at a place is, as a bar on a log scale, and its norm where there is room.
import { html } from "../core/dom.js";
import { sized, widthOf } from "./fit.js";
import { arrivals } from "../core/model.js";
import { brief } from "../core/numbers.js";

const DECADES = 12; // at most: below them a bar has no length

// From the power of ten below the smallest ‖δ‖ to the one above the largest.
export function scaleOf(model) {
  const norms = [...model.places.keys()].map((name) => arrivals(model, name, model.last).sum?.norm).filter((norm) => norm > 0 && norm < Infinity);
  if (!norms.length) return null;
  const high = Math.ceil(Math.log10(Math.max(...norms)) - 1e-9);
  const low = Math.max(high - DECADES, Math.min(high - 1, Math.floor(Math.log10(Math.min(...norms)) + 1e-9)));
  const share = (norm) => (norm > 0 ? Math.min(1, Math.max(0, (Math.log10(norm) - low) / (high - low))) : 0);
  return { low: 10 ** low, high: 10 ** high, share };
}

// Below the box (y), or inside at its end; `room` is how high there is nothing else.
export function Bar({ norm, scale, zoom, y, width, room }) {
  const text = brief(norm);
  const [size, thick] = [sized(11, zoom), 4 / zoom];
  const written = room > size + thick && width * 1.25 > widthOf(text, size);
  return html`<g class="size" transform=${`translate(0 ${y})`}>
    <rect class="track" width=${width} height=${thick} /><rect width=${width * scale.share(norm)} height=${thick} />
    ${written && html`<text x=${width / 2} y=${thick + 0.92 * size} font-size=${size}>${text}</text>`}</g>`;
}
