// Draws the head of the page: the choice of network, tour, theme and language.
import { html } from "./core/dom.js";
import { NAMES } from "./core/examples.js";
import { LANGUAGES } from "./lecture/i18n.js";
import { TOURS } from "./lecture/tours.js";
import { Switches } from "./widgets/switches.js";

// `version`: {name, version} of the model that is shown, if one is.
export function Header({ name, changed, version, open, tour, openTour, theme, setTheme, lang, setLang, t }) {
  return html`<header class="top">
    <h1>δ deltawire <small>${t("subtitle")}</small></h1>
    <label class="choose"><span>${t("network")}</span>
      <select aria-label=${t("network")} class="network" value=${changed ? "own" : name} onChange=${(event) => open(event.target.value)}>
        ${changed && html`<option value="own" selected>${version ? t("versionOf", version.name, version.version) : t("example_own")}</option>`}
        ${NAMES.map((one) => html`<option value=${one} selected=${!changed && one === name}>${t(`example_${one}`)}</option>`)}
      </select></label>
    <nav class="tours" aria-label=${t("lecture")}>${TOURS.map(({ title }, i) => html`
      <button class=${tour === i ? "on" : ""} onClick=${() => openTour(i, 0)}>${title[lang]}</button>`)}</nav>
    <${Switches} languages=${LANGUAGES} ...${{ theme, setTheme, lang, setLang, t }}><a href=${`/models${lang === "en" ? "" : `#lang=${lang}`}`}>${t("models")}</a><//>
  </header>`;
}
