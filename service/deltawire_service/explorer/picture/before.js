// Writes a number of a card, with the number before a change faint beside it.
import { html } from "../core/dom.js";
import { fontSize, widthOf } from "./fit.js";

const GAP = 9; // units between the two
const SMALLER = 0.8; // the size of the number before, of the other's

// `text`: what is written behind a `sign`, centred at `x`. `before`: the text of the number before, null where there was none;
// the same text is not written again. `over`: the y of the text before, where it stands above or below; else it stands to the left.
/** @param {{ zoom: number, [other: string]: any }} props */
export function Changed({ text, sign = "", before, over, x, y, size, zoom, small }) {
  const main = html`<text class=${small ? "small" : ""} x=${x} y=${y} font-size=${size}>${sign}${text}</text>`;
  if (before === null || before === text) return main;
  const smaller = Math.max(SMALLER * size, fontSize(0, zoom));
  const left = over === undefined ? widthOf(sign + text, size) / 2 + GAP + widthOf(before, smaller) / 2 : 0;
  return [main, html`<text class="before" data-before x=${x - left} y=${over ?? y} font-size=${smaller}>${before}</text>`];
}
