// Draws the sign of a node's warnings at its card.
import { html } from "../core/dom.js";
import { isCause } from "../core/findings/causes.js";

const SIGNS = { vanishing: "↓", nothing: "0", exploding: "↑" };

// A cause is a filled triangle; an effect is a ring around what happens to δ.
export function WarningSign({ warnings, y }) {
  const cause = warnings.some(isCause);
  return html`<g class=${`warning-sign ${cause ? "cause" : "effect"}`} data-sign=${cause ? "cause" : warnings[0].what} transform=${`translate(4 ${y})`}>
    ${cause ? html`<path d="M-2 11 6 -4 14 11z" /><text x="6" y="9.5">!</text>`
      : html`<circle cx="6" cy="5" r="7" /><text x="6" y="9">${SIGNS[warnings[0].what]}</text>`}
    <title>${warnings.map((one) => one.text).join("\n")}</title></g>`;
}
