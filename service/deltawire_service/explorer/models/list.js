// Draws a list of models or runs: a title, a row for each, and the way to other pages.
import { html } from "../core/dom.js";

// `list`: a Listing. `Row`: draws one of its rows. `turn`: called with the pages up to the one to show.
export function List({ title, none, list, Row, toneOf, toggle, turn, t, ...rest }) {
  const { rows, next, pages, keyOf } = list;
  if (!rows) return null;
  return html`<section class="list" aria-label=${title}><h2>${title}</h2>
    ${rows.length === 0 && html`<p class="quiet">${none}</p>`}
    <ul>${rows.map((row) => html`<${Row} key=${keyOf(row)} row=${row} tone=${toneOf(keyOf(row))} toggle=${() => toggle(keyOf(row))} ...${{ t, ...rest }} />`)}</ul>
    ${(pages.length > 1 || next !== null) && html`<p class="pages">
      <button disabled=${pages.length === 1} onClick=${() => turn(list, pages.slice(0, -1))}>${t("pageBack")}</button>
      <button disabled=${next === null} onClick=${() => turn(list, [...pages, next])}>${t("pageNext")}</button></p>`}
  </section>`;
}

// The box that chooses a curve, with the colour that the curve then has.
// `full`: no colour is left for another curve.
export function Choice({ tone, toggle, full, children }) {
  return html`<label><input type="checkbox" checked=${Boolean(tone)} disabled=${full && !tone} onChange=${toggle} />
    <i class=${`swatch ${tone ?? ""}`} aria-hidden="true"></i><b>${children}</b></label>`;
}
