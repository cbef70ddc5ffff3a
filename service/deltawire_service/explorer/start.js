// Loads what the page begins with, and says what stands in the way until it is there.
import * as api from "./core/api.js";
import { html, useEffect, useState } from "./core/dom.js";
import { remembered } from "./core/preferences.js";
import { fromAddress } from "./core/state.js";
import { loadTitles } from "./core/problems/titles.js";
import { GRAPH_TEXTS } from "./lecture/graph_texts.js";
import { LANGUAGES, translator } from "./lecture/i18n.js";
import { Page } from "./page.js";
import { useRecovery } from "./page/recovery.js";
import { Refusal } from "./widgets/refusal.js";

// The language of the address, or else the visitor's choice, or else the browser's.
function languageOf(address) {
  if (Object.hasOwn(LANGUAGES, address ?? "")) return address;
  const browser = navigator.language.slice(0, 2);
  return remembered("lang", Object.keys(LANGUAGES)) ?? (Object.hasOwn(LANGUAGES, browser) ? browser : "en");
}

export function Start() {
  const [loaded, setLoaded] = useState(null);
  const { failure, attempt } = useRecovery();
  const lang = languageOf((loaded?.initial ?? Object.fromEntries(new URLSearchParams(location.hash.slice(1)))).lang);
  useEffect(() => {
    attempt(async () => {
      await loadTitles(lang); // before anything is refused
      const initial = await fromAddress(location.search, location.hash);
      setLoaded({ layers: await api.layers(languageOf(initial.lang)), initial });
    });
  }, []);
  if (loaded) return html`<${Page} ...${loaded} initialLang=${lang} />`;
  return failure && html`<div class="starting" lang=${lang}><${Refusal} failure=${failure} t=${translator(GRAPH_TEXTS, lang)} /></div>`;
}
