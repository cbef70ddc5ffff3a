// Draws the head of the page: the choice of network, tour, theme and language.
import { html } from "./core/dom.js";
import { NAMES } from "./core/examples.js";
import { FILES } from "./core/files/network.js";
import { titleOf } from "./core/kept.js";
import { LANGUAGES } from "./lecture/i18n.js";
import { TOURS } from "./lecture/tours.js";
import { OpenFile } from "./widgets/open_file.js";
import { Switches } from "./widgets/switches.js";

const KEPT = "kept "; // before the title of a kept network

// `document`: what is shown; its `model`, {name, version}, if it is one's version. `kept`: the visitor's own networks. `take`: opens a file.
export function Header({ name, changed, document, kept, open, openKept, take, tour, openTour, lang, setLang, t }) {
  const title = changed ? titleOf(document, kept) : null;
  const own = changed && title === null;
  const version = document?.model;
  const choose = ({ target: { value } }) => (value.startsWith(KEPT) ? openKept(value.slice(KEPT.length)) : open(value));
  return html`<header class="top">
    <h1>δ deltawire <small>${t("subtitle")}</small></h1>
    <label class="choose"><span>${t("network")}</span>
      <select aria-label=${t("network")} class="network" value=${own ? "own" : title === null ? name : KEPT + title} onChange=${choose}>
        ${own && html`<option value="own" selected>${version ? t("versionOf", version.name, version.version) : t("example_own")}</option>`}
        ${NAMES.map((one) => html`<option value=${one} selected=${!changed && one === name}>${t(`example_${one}`)}</option>`)}
        ${kept.length > 0 && html`<optgroup label=${t("tab_kept")}>${kept.map((one) => html`<option value=${KEPT + one.title} selected=${one.title === title}>${one.title}</option>`)}</optgroup>`}
      </select></label>
    <${OpenFile} accept=${FILES} ...${{ take, t }} />
    <nav class="tours" aria-label=${t("lecture")}>${TOURS.map(({ title }, i) => html`
      <button class=${tour === i ? "on" : ""} onClick=${() => openTour(i, 0)}>${title[lang]}</button>`)}</nav>
    <${Switches} languages=${LANGUAGES} ...${{ lang, setLang, t }}><a href=${`/models${lang === "en" ? "" : `#lang=${lang}`}`}>${t("models")}</a><//>
  </header>`;
}
