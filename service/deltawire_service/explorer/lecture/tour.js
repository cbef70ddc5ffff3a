// Draws the card of a tour's stop, and the welcome that leads to the first tour.
import { html, useLayoutEffect, useRef } from "../core/dom.js";
import { TOURS } from "./tours.js";

const FIRST = 0; // the tour to start with

// `veiled`: the reader is to predict a number of this stop first, and its text has it. `away`: tells whether the picture has left the step or the place of this stop. `changed`: whether it has left its network.
/** @param {{ lang: string, t: Translate, [other: string]: any }} props */
export function Tour({ tour, stop, veiled, away, changed, open, lang, t }) {
  const card = useRef();
  useLayoutEffect(() => { // the button that had the focus is gone, or cannot be pressed any more
    const { activeElement } = document;
    const lost = activeElement === document.body || (activeElement instanceof HTMLButtonElement && activeElement.disabled);
    if (tour !== null && lost) card.current.querySelector("button.main:enabled, [data-tour-go]:enabled").focus({ preventScroll: true });
  }, [tour, stop]);
  if (tour === null) return null;
  const { title, stops } = TOURS[tour];
  const forth = stop + 1 < stops.length ? [tour, stop + 1] : tour + 1 < TOURS.length ? [tour + 1, 0] : null;
  const back = stop > 0 ? [tour, stop - 1] : tour > 0 ? [tour - 1, TOURS[tour - 1].stops.length - 1] : null;
  return html`<section class="tour" ref=${card} data-tour=${`${tour}.${stop}`}>
    <header><h2>${title[lang]}</h2><span>${stop + 1}/${stops.length}</span>
      <button disabled=${!back} data-tour-go="back" onClick=${() => back && open(...back)}>${t("tourBack")}</button>
      <button class="main" disabled=${!forth} data-tour-go="next" title=${forth ? TOURS[forth[0]].title[lang] : ""} onClick=${() => forth && open(...forth)}>${t("tourNext")}</button>
      <button class="link" data-tour-go="close" onClick=${(event) => {
        const again = event.target.closest(".page").querySelector(".tours .on");
        open(null, 0);
        again?.focus(); // the card is gone, and its button with it
      }} title=${t("close")}>✕</button></header>
    <p aria-live="polite">${veiled ? t("predictStop") : stops[stop].text[lang]}</p>
    ${changed && html`<p class="quiet" data-lecture-numbers>${t("lectureNumbers")}</p>`}
    ${(away || changed) && html`<p><button class="link" data-tour-go="here" onClick=${() => open(tour, stop)}>${t("tourHere")}</button></p>`}
  </section>`;
}

/** @param {{ lang: string, t: Translate, [other: string]: any }} props */
export function Welcome({ open, lang, t }) {
  return html`<p class="welcome">${t("about")}<br />${t("welcome")} <button class="link" data-welcome onClick=${() => open(FIRST, 0)}>
    ${TOURS[FIRST].title[lang]}</button></p>`;
}
