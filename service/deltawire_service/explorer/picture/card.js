// Draws a place as a card: its name, kind and shape, its value above them and its delta below.
import { flat, times } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { kindOf } from "../core/model.js";
import { precise, short } from "../core/numbers.js";
import { arrivals, valueKnown } from "../core/steps.js";
import { badgeClass, badgeText } from "../widgets/badge.js";
import { Cells } from "../widgets/heat_map.js";
import { Changed } from "./before.js";
import { fontSize } from "./fit.js";
import { NormBar } from "./norm_bar.js";
import { WarningSign } from "./warning_sign.js";

/** @import { Model, Place } from "../core/model.js" */

const BOX = 46; // height of the box, without the value and the delta
const LEAST = 4; // units of height, to draw cells in
const TWO_LINES = 0.6; // zoom from which the kind has room below the name

/** @param {{ place: Place, model: Model, step: number, t: Translate, zoom: number, select: (name: string) => void, [other: string]: any }} props */
export function Card({ place, model, before, step, box, t, scale, detail, whole, down, zoom, current, back, selected, joined, warnings, badge, select, unfold }) {
  const { width, height } = box;
  const [left, top] = [box.x - width / 2, box.y - height / 2];
  const far = !detail && down; // without numbers, the box reaches to where edges begin and end
  const side = far ? 0 : (height - BOX) / 2;
  const tall = far ? height : BOX;
  const array = place.shape.length > 0;
  const wide = width - 6 + (detail ? 0 : down ? 20 : 86); // without numbers, a name may lie over the edges
  const fits = wide / (0.62 * place.name.length);
  const size = whole ? Math.min(14, fits) : Math.min(48, fontSize(Math.min(14, fits), zoom));
  const name = whole ? place.name : shortened(place.name, Math.floor(wide / (0.58 * size)));
  const shown = valueKnown(model, place.name, step) && place.value;
  const { terms, missing, hidden, sum } = arrivals(model, place.name, step);
  const arrived = terms.length > 0 && !missing && sum;
  const old = before && { value: before.places.get(place.name).value, sum: arrived ? arrivals(before, place.name, step).sum : null };
  const written = !detail && arrived && (far ? tall * zoom > 40 : side * zoom > 12); // there is room for the norm
  const classes = ["card", !place.kind && "input", current && "current", current && back && "back", selected && "selected", joined && "joined"];
  const click = (event) => { // keys go on from here
    event.currentTarget.querySelector(".ring").focus({ preventScroll: true });
    select(place.name);
  };
  const press = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault(); // Space would scroll the page
    select(place.name);
  };
  const small = fontSize(12, zoom);
  const spoken = [place.name, kindOf(place, t), shown && spokenNumber(place.value, old?.value, array, t), arrived && `δ ${spokenNumber(sum, old?.sum, array, t)}`, badge && badgeText(badge)].filter(Boolean).join(", ");
  const under = zoom >= TWO_LINES ? kindAndShape(place, t, Math.floor((width - 2) / (0.6 * small))) : "";
  const checked = badge && detail && !missing && terms.length > 0;
  const centre = width / 2;
  return html`<g class=${classes.filter(Boolean).join(" ")} data-node=${place.name} transform=${`translate(${left} ${top})`} onClick=${click}>
    <rect class="ring" tabindex="0" role="button" aria-label=${spoken} onKeyDown=${press} x="-5" y=${side - 5} width=${width + 10} height=${tall + 10} rx="12" />
    <g aria-hidden="true"><rect class="body" y=${side} width=${width} height=${tall} rx="8" />
    ${down && detail && terms.length + hidden === 0 && model.edges.some((edge) => edge.from === place.name)
      && html`<line class="edge stub" x1=${centre} x2=${centre} y1=${side + BOX} y2=${height} />`}
    <text class="name" x=${centre} y=${side + (under ? 20 : tall * (far && written ? 0.3 : 0.5) + 0.36 * size)} font-size=${size}>${name}</text>
    ${under && html`<text class="kind" x=${centre} y=${side + 38} font-size=${small}>${under}</text>`}
    ${detail && zoom >= TWO_LINES && place.parameters.length > 0 && html`<${Folded} ...${{ place, width, side, zoom, unfold }} />`}
    ${arrived && !detail && scale && html`<${NormBar} norm=${sum.norm} ...${{ scale, zoom, width }}
      y=${far ? height - (written ? 19 : 5) / zoom : side + BOX + 2 / zoom} room=${written ? 19 / zoom : 0} />`}
    ${detail && shown && html`<g class="value" data-value=${place.name}>${valueAbove(place, old?.value, width, side, zoom)}</g>`}
    ${detail && (terms.length > 0 || hidden > 0) && html`
      <g class="delta" data-delta=${place.name} transform=${`translate(0 ${side + BOX})`}>${deltaBelow(sum, missing, old?.sum, width, side, array, zoom)}</g>`}
    ${warnings && html`<${WarningSign} warnings=${warnings} y=${side - 3} />`}
    ${checked && html`<text class=${badgeClass(badge)} data-badge=${place.name} x=${centre} y=${height + 0.9 * fontSize(11, zoom)} font-size=${fontSize(11, zoom)}>
      ${badgeText(badge)}<title>${t("badgeTitle")}</title></text>`}</g>
    <title>${place.name}: ${place.layer?.translation?.summary ?? place.layer?.summary ?? kindOf(place, t)}${arrived && `\n${array ? "‖δ‖" : "δ"} = ${precise(array ? sum.norm : sum.numbers)}`}</title>
  </g>`;
}

const numberIn = ({ numbers, norm }, array) => (array ? `‖${precise(norm)}‖` : precise(numbers));

// `old`: the number before a change, if there was one.
/** @param {Translate} t */
function spokenNumber(traced, old, array, t) {
  const [now, was] = [numberIn(traced, array), old && numberIn(old, array)];
  return was && was !== now ? `${now} (${t("before", was)})` : now;
}

// The kind and the shape, or the part of them that there is room for.
/** @param {Place} place @param {Translate} t */
function kindAndShape(place, t, room) {
  const kind = kindOf(place, t);
  const whole = [kind, times(place.shape)].filter(Boolean).join(" · ");
  return whole.length <= room ? whole : shortened(kind, room);
}

const shortened = (text, room) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);

// The sign of the layer's parameters, above the corner of the box, where no name is: a click opens them in the panel.
/** @param {{ place: Place, zoom: number, [other: string]: any }} props */
function Folded({ place, width, side, zoom, unfold }) {
  return html`<g class="folded" data-unfold=${place.name} onClick=${() => unfold(true)}>
    <rect x=${width - 22} y=${side - 18} width="22" height="17" /><text x=${width - 2} y=${side - 5} font-size=${fontSize(12, zoom)}>▤</text>
    <title>${place.parameters.map((one) => one.name).join(", ")}</title></g>`;
}

// Integers are labels or indices: they are listed, and have no norm.
/** @param {{ shape: number[], [other: string]: any }} props @param {number} zoom */
function valueAbove({ value, spec, shape }, old, width, side, zoom) {
  const array = shape.length > 0;
  const size = fontSize(array ? 13 : 17, zoom);
  if (!array) return html`<${Changed} text=${short(value.numbers)} before=${old ? short(old.numbers) : null} x=${width / 2} y=${side - 6} ...${{ size, zoom }} />`;
  const integers = spec?.dtype === "int64" && shortened(flat(value.numbers).join(" "), Math.floor(width / (0.58 * size)));
  const [text, was] = [`‖${short(value.norm)}‖`, old && !integers ? `‖${short(old.norm)}‖` : null];
  const free = side - 5 - size - (was === null || was === text ? 0 : size); // above the numbers
  return [html`<${Changed} text=${integers || text} before=${was} over=${side - 5 - size} x=${width / 2} y=${side - 5} small ...${{ size, zoom }} />`,
    !integers && free > LEAST && html`<${Cells} traced=${value} x=${0} y=${0} width=${width} height=${free} />`];
}

// "9 + ?" until all terms have arrived: an unfinished sum must not look like a result.
const unfinished = (sum) => (sum ? `${sum} + ?` : "δ ?");

/** @param {number} zoom */
function deltaBelow(sum, missing, old, width, side, array, zoom) {
  const size = fontSize(array ? 13 : 17, zoom);
  if (!array) {
    return html`<${Changed} text=${missing ? unfinished(sum && short(sum.numbers)) : short(sum.numbers)} sign=${missing ? "" : "δ "} before=${old ? short(old.numbers) : null} x=${width / 2} y=${size} ...${{ size, zoom }} />`;
  }
  const norm = sum && `‖${short(sum.norm)}‖`;
  const was = old ? `‖${short(old.norm)}‖` : null;
  const top = size + 4 + (was === null || was === norm ? 0 : size); // below the numbers
  return [html`<${Changed} text=${missing ? unfinished(norm) : norm ?? ""} sign=${missing ? "" : "δ "} before=${was} over=${2 * size + 1} x=${width / 2} y=${size + 1} small ...${{ size, zoom }} />`,
    sum && side - 2 - top > LEAST && html`<${Cells} traced=${sum} x=${0} y=${top} width=${width} height=${side - 2 - top} />`];
}
