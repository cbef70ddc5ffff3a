// Holds the state of the page (the document, the step, the selected place) and draws all its parts around it.
import { html, useEffect, useMemo, useRef, useState } from "./core/dom.js";
import { exampleDocument, NAMES, rateOf } from "./core/examples.js";
import { dropRefused, keepDraft, keepRefused, keptNetworks, newId, titleOf } from "./core/kept.js";
import { remember } from "./core/preferences.js";
import { Failure } from "./core/requests.js";
import { nodeAt, stepNamed, stepOf } from "./core/steps.js";
import { useTitles } from "./core/problems/titles.js";
import { warningsOf } from "./core/findings/warnings.js";
import { Drawer, TABS } from "./drawer/drawer.js";
import { written } from "./drawer/pointers.js";
import { Header } from "./header.js";
import { GRAPH_TEXTS } from "./lecture/graph_texts.js";
import { translator } from "./lecture/i18n.js";
import { Tour, Welcome } from "./lecture/tour.js";
import { TOURS } from "./lecture/tours.js";
import { addressOf, useAddress } from "./page/address.js";
import { useEvaluation } from "./page/evaluation.js";
import { useLayerTexts } from "./page/layer_texts.js";
import { useOpening } from "./page/opening.js";
import { usePredictions } from "./page/predictions.js";
import { useNarrow, useSize } from "./page/screen.js";
import { useWhatIf } from "./page/what_if.js";
import { Panel } from "./panel/panel.js";
import { Predict } from "./panel/predict.js";
import { scrollTo } from "./panel/scroll.js";
import { WhatIf } from "./panel/what_if.js";
import { savePng, saveSvg } from "./picture/export.js";
import { viewOf } from "./picture/fit.js";
import { Graph } from "./picture/graph.js";
import { drawingOf } from "./picture/layout/layout.js";
import { Legend } from "./picture/legend.js";
import { LARGE, PresentButton, usePresentation } from "./picture/presentation.js";
import { Stepper } from "./picture/stepper.js";
import { Link } from "./widgets/link.js";
import { OpenExplorer } from "./widgets/open_explorer.js";
import { Refusal } from "./widgets/refusal.js";
import { useTheme } from "./widgets/switches.js";

const NONE = new Map();

// The part of an address that needs no network: what is not there falls back.
const viewIn = (address) => ({
  step: 0, selected: address.selected, down: address.down, stop: address.stop,
  tour: TOURS[address.tour]?.stops[address.stop] ? address.tour : null,
  tab: TABS.includes(address.tab) ? address.tab : "inputs",
});

/** @import { Failure as Failed } from "./core/requests.js"
 *  @import { Options } from "./page/evaluation.js" */

// `initial`: the state of the address. `initialLang`: the language to begin with.
export function Page({ layers, initial, initialLang }) {
  const { evaluation, latest, failure, show, fail, dismiss } = useEvaluation(layers);
  const [{ step, selected, tour, stop, down, tab }, setView] = useState(viewIn(initial));
  const [lang, setLang] = useState(initialLang);
  useLayerTexts(layers, lang);
  useTitles(lang);
  const [theme, setTheme] = useTheme();
  const [checked, setChecked] = useState({ model: null, badges: NONE });
  const [folds, setFolds] = useState({ unfolded: false, detail: true, over: false }); // over: the panel over the picture, on a phone;
  const [kept, setKept] = useState(keptNetworks);
  const narrow = useNarrow();
  const [presented, present] = usePresentation();
  const type = presented ? LARGE : 1;
  const [canvas, aside] = [useRef(), useRef()];
  const { embed } = initial;
  const t = useMemo(() => translator(GRAPH_TEXTS, lang), [lang]);
  const { model, document, row, origin } = evaluation ?? {};
  const compared = useWhatIf(evaluation);
  const predictions = usePredictions(model, selected, step, TOURS[tour]?.stops[stop].section);
  const [{ seen }, veiled] = [predictions, predictions.on];
  const view = useSize(canvas, viewOf, narrow, Boolean(model));
  const fold = (part) => setFolds((old) => ({ ...old, ...part }));
  const look = (part) => setView((old) => ({ ...old, ...(typeof part === "function" ? part(old) : part) }));

  const stay = (next) => look((old) => ({
    step: old.step >= (model?.last ?? 0) ? next.last : Math.min(old.step, next.last),
    selected: next.places.has(old.selected) ? old.selected : nodeAt(next, next.last),
  }));
  // `run`: the number of a training, whose networks are one entry of the history.
  /** @type {(changed: any, options?: Options & { run?: number | null }) => Promise<Failed | null>} */
  const change = (changed, { run = null, ...options } = {}) => show(changed, { then: stay, origin: { ...origin, changed: true, run }, ...options });
  /** @type {(modify: (document: any) => any, options?: Options) => Promise<Failed | null>} */
  const edit = (modify, options = {}) => {
    look({ tour: null });
    return change(modify(structuredClone(latest)), { renew: true, tentative: true, ...options });
  };
  const toEnd = (next) => look({ step: next.last, selected: nodeAt(next, next.last), tour: null, down: null }); // each network has a direction that suits it
  const openExample = (name, then = toEnd) => show(() => exampleDocument(name), { example: 0, origin: { name, changed: false }, then });
  // It is an entry of the history by itself: there is a way back to the network before. Where it is refused, it is kept.
  const openOwn = (own) => {
    const [id, text] = [newId(), written(own)];
    const opened = { name: NAMES[0], ...origin, changed: true, run: null, opened: id };
    return change(own, { example: 0, tentative: true, then: toEnd, origin: opened, accepted: () => dropRefused(id, text) })
      .then((failed) => failed && keepRefused(id, text) && setKept(keptNetworks()));
  };
  const openTour = (chosen, index) => {
    if (chosen === null) return look({ tour: null });
    const { example, step: at, at: place, tab: named } = TOURS[chosen].stops[index];
    const there = (next) => ({ tour: chosen, stop: index, tab: named ?? "inputs", step: stepNamed(next, at), selected: place });
    if (example === origin?.name && !origin.changed) return look(there(model)); // the card and its picture change together
    return openExample(example, (next) => look({ ...there(next), down: null }));
  };
  const openAddress = (address) => {
    const name = NAMES.includes(address.name) ? address.name : NAMES[0];
    const there = viewIn(address);
    const then = (next) => {
      const at = Math.min(address.step ?? next.last, next.last);
      look({ ...there, step: at, selected: next.places.has(address.selected) ? address.selected : nodeAt(next, at) });
    };
    if (there.tour !== null && address.step === null && !address.document) return openTour(there.tour, there.stop);
    const text = address.document?.network && written(address.document); // stays among the refused texts where it is refused
    const id = newId();
    return show(address.document ?? (() => exampleDocument(name)), {
      example: address.example, origin: { name, changed: Boolean(address.document) }, then, accepted: () => dropRefused(id, text),
    }).then((failed) => failed && text && keepRefused(id, text));
  };
  const opening = useOpening(openOwn, document, !embed);
  const go = (to) => look({ step: to, selected: nodeAt(model, to) ?? selected });
  const select = (place) => {
    look((old) => ({ selected: place, step: Math.max(old.step, stepOf(model, place)) }));
    fold({ over: true });
  };

  const closePanel = () => { // its button is gone: the focus goes to the one that opens it again
    fold({ over: false });
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (globalThis.document.querySelector("[data-open-panel]"))?.focus());
  };

  const address = evaluation && { ...origin, document, step, selected, example: row, lang, tour, stop, down, tab, embed };
  useAddress(address, openAddress);
  useEffect(() => { openAddress(initial); }, []);
  useEffect(() => { if (!embed && origin?.changed && !titleOf(document, kept)) keepDraft(document); }, [document]);
  useEffect(() => { globalThis.document.documentElement.lang = lang; globalThis.document.title = `deltawire: ${t("subtitle")}`; }, [lang]);
  const here = TOURS[tour]?.stops[stop];
  useEffect(() => { if (evaluation) scrollTo(aside.current, here?.section, narrow); }, [document?.network, tour, stop, step, selected, lang]);

  const network = useMemo(() => document && JSON.stringify([document.network, down, narrow]), [document?.network, down, narrow]);
  const drawing = useMemo(() => (model && view ? drawingOf(model, down, narrow, { ...view, type }) : null), [network, view, type]);
  const warnings = useMemo(() => (model ? warningsOf(model, t) : NONE), [model, t]);
  const badges = checked.model === model ? checked.badges : NONE;
  const shown = { model: seen, before: veiled ? null : compared.result?.before ?? null, drawing, step, selected, warnings: veiled ? NONE : warnings, badges, t };
  const away = Boolean(here && model && !(step === stepNamed(model, here.step) && selected === here.at));
  const setDetail = (detail) => fold({ detail });
  const unfold = (unfolded) => fold({ unfolded });

  return html`<div class=${`page ${failure ? "stale" : ""} ${presented ? "presented" : ""} ${embed ? `embedded ${embed === "picture" ? "picture-alone" : ""}` : ""}`}>
    <button class="skip" onClick=${() => aside.current.focus()}>${t("skip")}</button>
    <${Header} take=${opening.take} open=${openExample} openKept=${(title) => openOwn(kept.find((one) => one.title === title).document)} ...${{ ...origin, kept, document, tour, openTour, theme, setTheme, lang, t }}
      setLang=${(chosen) => { setLang(chosen); remember("lang", chosen); }} />
    <main>
      <div class="stage">
        <div class="canvas">
          <${Legend} ...${{ model: seen, step, t }} detail=${folds.detail} />
          <div class="ground" ref=${canvas}>
            ${drawing && html`<${Graph} ...${{ shown, select, unfold, narrow, setDetail, type }} />`}
          </div>
          <p class="tools">${embed && evaluation && html`<${OpenExplorer} t=${t} address=${() => addressOf({ ...address, embed: null })} />`}${narrow && !folds.over && html`<button data-open-panel onClick=${() => { fold({ over: true }); aside.current.focus(); }}>${t("explanation")}</button>`}<${PresentButton} ...${{ presented, present, t }} /><button data-turn onClick=${() => look({ down: !drawing?.down })}>${t(drawing?.down ? "across" : "down")}</button>
            <${Link} t=${t} address=${() => addressOf(address)} />
            <button onClick=${() => saveSvg(shown, origin.name)}>SVG</button><button onClick=${() => savePng(shown, origin.name)}>PNG</button></p>
          ${opening.failure ? html`<${Refusal} ...${{ ...opening, t }} />`
            : failure && html`<${Refusal} drawn=${Boolean(model)} dismiss=${model && !failure.error.passing && dismiss} ...${{ failure, t }} />`}
        </div>
        ${model && html`<${Stepper} ...${{ model: seen, step, go, t }} />`}
        <${Drawer} startRate=${rateOf(origin?.name)} document=${latest} choose=${(chosen) => show(latest, { example: chosen, then: stay })} setBadges=${setChecked}
          setTab=${(chosen) => look({ tab: chosen })} fail=${(fault) => fail(new Failure(fault))} reread=${() => setKept(keptNetworks())}
          ...${{ tab, evaluation, failure, layers, selected, select, warnings, badges, change, edit, kept, openOwn, veiled, t }} />
      </div>
      <aside ref=${aside} class=${folds.over ? "over" : ""} tabindex="-1">
        <${Tour} ...${{ tour, stop, veiled: !away && predictions.questions.length > 0 && !predictions.begun, away, lang, t }} changed=${Boolean(origin?.changed)} open=${openTour} />
        ${tour === null && !origin?.changed && html`<${Welcome} ...${{ lang, t }} open=${openTour} />`}
        ${model && html`<${Predict} ...${{ ...predictions, t }} />`}
        <${WhatIf} ...${{ ...compared, model, t }} result=${veiled ? null : compared.result} />
        ${model && html`<${Panel} ...${{ model: seen, step, go, t, select, warnings: shown.warnings, badges, edit, unfold }} close=${narrow && closePanel} unfolded=${folds.unfolded} name=${selected} />`}
      </aside>
    </main>
    ${opening.over && html`<p class="dropping">${t("dropHere")}</p>`}
  </div>`;
}
