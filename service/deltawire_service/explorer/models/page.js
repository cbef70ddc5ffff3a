// Shows the models and runs of the service with their curves, while they learn.
import { html, useEffect, useMemo, useRef, useState } from "../core/dom.js";
import { useTitles } from "../core/problems/titles.js";
import { Switches } from "../widgets/switches.js";
import { addressOf, readAddress } from "./address.js";
import { TONES, toggled, without } from "./choice.js";
import { Drawn } from "./curves/drawn.js";
import { Lists } from "./lists/lists.js";
import { repeat } from "./polling.js";
import { Trouble } from "./trouble.js";
import { Watch } from "./watch.js";

// `translator`, `languages`: the texts of the page.
export function ModelsPage({ translator, languages }) {
  const [initial] = useState(() => readAddress(location.hash, languages));
  const [lang, setLang] = useState(initial.lang);
  const [chosen, setChosen] = useState(initial.chosen?.slice(0, TONES.length) ?? null); // keys, null where a tone is free; null for the newest
  const [log, setLog] = useState(initial.log);
  const { watch, trouble, now } = useWatch(chosen);
  const t = useMemo(() => translator(lang), [lang]);
  useTitles(lang);

  const all = (keys) => keys ?? (watch.newest ? [watch.newest] : []);
  const shown = all(chosen);
  const curves = shown.filter((key) => watch.curves.has(key)).map((key) => [watch.curves.get(key), TONES[shown.indexOf(key)], key]);
  const earliestOf = (name) => watch.models.rows.find((row) => row.name === name)?.earliest_version ?? 0;
  const listed = {
    watch, now, lang, t, full: shown.filter(Boolean).length === TONES.length,
    toneOf: (key) => TONES[shown.indexOf(key)],
    toggle: (key) => setChosen((old) => toggled(all(old), key)), // two clicks may come before the page is drawn again
    turn: (listing, pages) => { listing.pages = pages; now(); },
    search: (text) => { watch.searchFor(text); now(); },
  };

  useEffect(() => {
    document.documentElement.lang = lang;
    document.title = `deltawire: ${t("modelsSubtitle")}`;
  }, [lang]);
  useEffect(() => history.replaceState(null, "", addressOf({ lang, chosen, log })), [lang, chosen, log]);
  useEffect(now, [chosen]);
  useEffect(() => { // what is there no more frees its tone
    if (watch.missing.size) setChosen((old) => without(old, watch.missing));
  }, [watch.missing.size]);

  return html`<div class="models-page">
    <header class="top"><h1>δ deltawire <small>${t("modelsSubtitle")}</small></h1>
      <${Switches} ...${{ languages, lang, setLang, t }}><a href=${lang === "en" ? "/" : `/#lang=${lang}`}>${t("networks")}</a><//></header>
    <${Trouble} updated=${watch.updated} ...${{ trouble, now, lang, t }} />
    ${watch.offered?.workers && html`<p class="quiet workers">${t("workers", watch.offered.workers)}</p>`}
    ${watch.offered?.models === false && html`<section class="keep"><p>${t("keepsNone")}</p><pre>DELTAWIRE_DATA_DIR=data deltawire serve</pre></section>`}
    ${watch.updated && watch.models.rows && html`<main>
      <section class="drawn" aria-label=${t("curves")}>
        ${curves.length ? html`<${Drawn} lengthen=${(key) => { watch.lengthen(key); now(); }} ...${{ curves, log, setLog, earliestOf, lang, t }} />`
          : !shown.some(Boolean) && html`<p class="quiet choose-one">${t(chosen ? "chooseOne" : "nothingLearned")}</p>`}
      </section>
      <${Lists} ...${listed} />
    </main>`}
  </div>`;
}

// Follows the service while the page is there: {watch, trouble, now}.
function useWatch(chosen) {
  const [, draw] = useState(0);
  const [trouble, setTrouble] = useState(null);
  const latest = useRef();
  latest.current = chosen && chosen.filter(Boolean); // asked for by the next turn
  const watch = useMemo(() => new Watch(() => draw((count) => count + 1)), []);
  const polling = useRef(null);
  useEffect(() => {
    polling.current = repeat(() => watch.turn(latest.current), setTrouble);
    return polling.current.end;
  }, []);
  return { watch, trouble, now: () => polling.current.now() };
}
