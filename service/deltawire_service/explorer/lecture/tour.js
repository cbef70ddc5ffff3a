// The lecture as a guided tour: the card that tells one stop of it, and the way in.
import { html } from "../core/dom.js";
import { TOURS } from "./tours.js";

const FIRST = 1; // where to start: the circuits need nothing known before

// away: whether the picture is at another step or place than this stop speaks of.
export function Tour({ tour, stop, away, open, lang, t }) {
  const index = lang === "ko" ? 1 : 0;
  if (tour === null || !TOURS[tour]) return null;
  const { title, stops } = TOURS[tour];
  const here = stops[stop];
  const forth = stop + 1 < stops.length ? [tour, stop + 1] : tour + 1 < TOURS.length ? [tour + 1, 0] : null;
  const back = stop > 0 ? [tour, stop - 1] : tour > 0 ? [tour - 1, TOURS[tour - 1].stops.length - 1] : null;
  return html`<section class="tour" data-tour=${`${tour}.${stop}`}>
    <header><h2>${title[index]}</h2><span>${stop + 1}/${stops.length}</span>
      <button disabled=${!back} data-tour-go="back" onClick=${() => open(...back)}>${t("tourBack")}</button>
      <button class="main" disabled=${!forth} data-tour-go="next" title=${forth ? TOURS[forth[0]].title[index] : ""} onClick=${() => open(...forth)}>${t("tourNext")}</button>
      <button class="link" onClick=${() => open(null, 0)} title=${t("close")}>✕</button></header>
    <p>${here.text[index]}</p>
    ${away && html`<p><button class="link" data-tour-go="here" onClick=${() => open(tour, stop)}>${t("tourHere")}</button></p>`}
  </section>`;
}

// For whoever comes for the first time.
export function Welcome({ open, lang, t }) {
  return html`<p class="welcome">${t("about")}<br />${t("welcome")} <button class="link" data-welcome onClick=${() => open(FIRST, 0)}>
    ${TOURS[FIRST].title[lang === "ko" ? 1 : 0]}</button></p>`;
}
