// Shows the models and runs of the service with their curves, while they learn.
import { html, useEffect, useMemo, useRef, useState } from "../core/dom.js";
import { describe } from "../widgets/refusal.js";
import { Switches, useTheme } from "../widgets/switches.js";
import { addressOf, readAddress } from "./address.js";
import { Charts } from "./charts.js";
import { List } from "./list.js";
import { ModelRow } from "./model_row.js";
import { repeat } from "./polling.js";
import { RunRow } from "./run_row.js";
import { VersionForm } from "./version_form.js";
import { Watch } from "./watch.js";

const TONES = ["blue", "orange", "green", "red", "accent", "quiet"]; // as many curves at once

// `translator`, `languages`: the texts of the page.
export function ModelsPage({ translator, languages }) {
  const [initial] = useState(() => readAddress(location.hash, languages));
  const [lang, setLang] = useState(initial.lang);
  const [chosen, setChosen] = useState(initial.chosen.slice(0, TONES.length)); // keys, null where a tone is free
  const [log, setLog] = useState(initial.log);
  const [smooth, setSmooth] = useState(true);
  const [apart, setApart] = useState(false);
  const [place, setPlace] = useState(null);
  const [theme, setTheme] = useTheme();
  const { watch, trouble, now } = useWatch(chosen);
  const t = useMemo(() => translator(lang), [lang]);

  const toggle = (key) => setChosen((old) => toggled(old, key));
  const toneOf = (key) => TONES[chosen.indexOf(key)];
  const curves = chosen.filter((key) => watch.curves.has(key)).map((key) => [watch.curves.get(key), toneOf(key), key]);
  const turn = (list, pages) => { list.pages = pages; now(); };
  const earliestOf = (name) => watch.models.rows.find((row) => row.name === name)?.earliest_version ?? 0;
  const full = chosen.filter(Boolean).length === TONES.length;
  const listed = { toneOf, toggle, full, turn, now, lang, t };

  useEffect(() => {
    document.documentElement.lang = lang;
    document.title = `deltawire: ${t("modelsSubtitle")}`;
  }, [lang]);
  useEffect(() => history.replaceState(null, "", addressOf({ lang, chosen, log })), [lang, chosen, log]);
  useEffect(now, [chosen]);
  useEffect(() => { // what is there no more frees its tone
    if (watch.missing.size) setChosen((old) => old.map((key) => (watch.missing.has(key) ? null : key)));
  }, [watch.missing.size]);

  return html`<div class="models-page">
    <header class="top"><h1>δ deltawire <small>${t("modelsSubtitle")}</small></h1>
      <${Switches} ...${{ languages, theme, setTheme, lang, setLang, t }}><a href=${lang === "en" ? "/" : `/#lang=${lang}`}>${t("networks")}</a><//></header>
    <${Trouble} ...${{ trouble, now, t }} />
    ${watch.offered?.models === false && html`<section class="keep"><p>${t("keepsNone")}</p><pre>DELTAWIRE_DATA_DIR=data deltawire serve</pre></section>`}
    ${watch.models.rows && html`<main>
      <div class="lists">
        <${List} title=${t("runsTitle")} none=${t("noRuns")} list=${watch.runs} Row=${RunRow} ...${listed} />
        <${List} title=${t("modelsTitle")} none=${t("noModels")} list=${watch.models} Row=${ModelRow} ...${listed} />
      </div>
      <div class="drawn">
        ${curves.length === 0 ? html`<p class="quiet choose-one">${t("chooseOne")}</p>` : html`
          <p class="controls"><label><input type="checkbox" checked=${log} onChange=${() => setLog(!log)} /> ${t("logScale")}</label>
            <label><input type="checkbox" checked=${smooth} onChange=${() => setSmooth(!smooth)} /> ${t("smooth")}</label>
            ${curves.length > 1 && html`<label><input type="checkbox" checked=${apart} onChange=${() => setApart(!apart)} /> ${t("sideBySide")}</label>`}
            ${curves.filter(([curve]) => curve.cut).map(([curve, , key]) => html`<button onClick=${() => { watch.lengthen(key); now(); }}>
              ${t("longer", curve.label, curve.first)}</button>`)}</p>
          <${Charts} chosen=${place} choose=${setPlace} ...${{ curves, log, smooth, apart: apart && curves.length > 1, t }} />
          <p class="quiet">${t("chooseVersion")}</p>
          <ul class="versions">${curves.map(([curve, , key]) => html`<${VersionForm} key=${key}
            earliest=${earliestOf(curve.model)} ...${{ curve, place, setPlace, lang, t }} />`)}</ul>`}
      </div>
    </main>`}
  </div>`;
}

// Keeps the tones of the others: a key takes the first free place, or leaves its own.
function toggled(chosen, key) {
  if (chosen.includes(key)) return chosen.map((one) => (one === key ? null : one));
  const free = chosen.indexOf(null);
  return free < 0 ? [...chosen, key] : chosen.map((one, i) => (i === free ? key : one));
}

// Says that the service does not answer, or what it refuses.
function Trouble({ trouble, now, t }) {
  const text = trouble && (trouble.error.problem ? describe(trouble.error.problem, t) : t("away"));
  return html`<div class="trouble" role="status">${trouble && html`<p class="warning">${text} ${t("nextTry", trouble.seconds)}
    <button onClick=${now}>${t("tryNow")}</button></p>`}</div>`;
}

// Follows the service while the page is there: {watch, trouble, now}.
function useWatch(chosen) {
  const [, draw] = useState(0);
  const [trouble, setTrouble] = useState(null);
  const latest = useRef();
  latest.current = chosen.filter(Boolean); // asked for by the next turn
  const watch = useMemo(() => new Watch(() => draw((count) => count + 1)), []);
  const polling = useRef(null);
  useEffect(() => {
    polling.current = repeat(() => watch.turn(latest.current), setTrouble);
    return polling.current.end;
  }, []);
  return { watch, trouble, now: () => polling.current.now() };
}
