// Draws the card of a tour's stop, and the welcome that leads to the first tour.
import { html } from "../core/dom.js";
import { TOURS } from "./tours.js";

const FIRST = 1; // the tour to start with: circuits need no knowledge

// `away`: tells whether the picture has left the step or the place of this stop.
export function Tour({ tour, stop, away, open, lang, t }) {
  if (tour === null) return null;
  const { title, stops } = TOURS[tour];
  const forth = stop + 1 < stops.length ? [tour, stop + 1] : tour + 1 < TOURS.length ? [tour + 1, 0] : null;
  const back = stop > 0 ? [tour, stop - 1] : tour > 0 ? [tour - 1, TOURS[tour - 1].stops.length - 1] : null;
  return html`<section class="tour" data-tour=${`${tour}.${stop}`}>
    <header><h2>${title[lang]}</h2><span>${stop + 1}/${stops.length}</span>
      <button disabled=${!back} data-tour-go="back" onClick=${() => open(...back)}>${t("tourBack")}</button>
      <button class="main" disabled=${!forth} data-tour-go="next" title=${forth ? TOURS[forth[0]].title[lang] : ""} onClick=${() => open(...forth)}>${t("tourNext")}</button>
      <button class="link" onClick=${() => open(null, 0)} title=${t("close")}>✕</button></header>
    <p>${stops[stop].text[lang]}</p>
    ${away && html`<p><button class="link" data-tour-go="here" onClick=${() => open(tour, stop)}>${t("tourHere")}</button></p>`}
  </section>`;
}

export function Welcome({ open, lang, t }) {
  return html`<p class="welcome">${t("about")}<br />${t("welcome")} <button class="link" data-welcome onClick=${() => open(FIRST, 0)}>
    ${TOURS[FIRST].title[lang]}</button></p>`;
}
