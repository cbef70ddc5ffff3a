// Draws a list of models or runs: a title, a row for each, and the way to other pages.
import { html } from "../../core/dom.js";

// `rows`: what is listed. `Row`: draws one of them. `none`: told where there is none. `all`: there are no others.
export function List({ title, none, rows, all, keyOf, Row, toneOf, toggle, children, t, ...rest }) {
  return html`<section class="list" aria-label=${title}><h2 tabindex="-1">${title} <small>${(all && rows.length) || ""}</small></h2>
    ${rows.length === 0 && html`<p class="quiet">${none}</p>`}
    <ul>${rows.map((row) => html`<${Row} key=${keyOf(row)} row=${row} tone=${toneOf(keyOf(row))} toggle=${() => toggle(keyOf(row))} ...${{ t, ...rest }} />`)}</ul>
    ${children}
  </section>`;
}

// The buttons to the other pages of a listing, where there are others. `turn`: called with the pages up to the one to show.
export function Pages({ listing, turn, t }) {
  if (listing.alone) return null;
  const { pages, next } = listing;
  return html`<p class="pages"><button disabled=${pages.length === 1} onClick=${() => turn(listing, pages.slice(0, -1))}>${t("pageBack")}</button>
    <button disabled=${next === null} onClick=${() => turn(listing, [...pages, next])}>${t("pageNext")}</button></p>`;
}

// The box that chooses a curve, with the colour that the curve then has.
// `full`: no colour is left for another curve. `number`: of a run, which stays in sight beside a long name.
export function Choice({ tone, toggle, full, name, number }) {
  return html`<label title=${name}><input type="checkbox" checked=${Boolean(tone)} disabled=${full && !tone} onChange=${toggle} />
    <i class=${`swatch ${tone ?? ""}`} aria-hidden="true"></i><b>${name}</b>${number && html` <b class="number">${number}</b>`}</label>`;
}
