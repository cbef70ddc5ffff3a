// Draws all parts of the page around its document, and the step and place that the reader looks at.
import { html, useEffect, useMemo, useRef, useState } from "./core/dom.js";
import { rateOf } from "./core/examples.js";
import { keepDraft, keptNetworks, titleOf } from "./core/kept.js";
import { remember } from "./core/preferences.js";
import { Failure } from "./core/requests.js";
import { stepNamed } from "./core/steps.js";
import { useTitles } from "./core/problems/titles.js";
import { warningsOf } from "./core/findings/warnings.js";
import { Drawer } from "./drawer/drawer.js";
import { Header } from "./header.js";
import { GRAPH_TEXTS } from "./lecture/graph_texts.js";
import { translator } from "./lecture/i18n.js";
import { Tour, Welcome } from "./lecture/tour.js";
import { TOURS } from "./lecture/tours.js";
import { useNavigation } from "./navigation.js";
import { addressOf, useAddress } from "./page/address.js";
import { useBadges } from "./page/badges.js";
import { useEvaluation } from "./page/evaluation.js";
import { useLayerTexts } from "./page/layer_texts.js";
import { useOpening } from "./page/opening.js";
import { usePaced } from "./page/pace.js";
import { usePredictions } from "./page/predictions.js";
import { useNarrow } from "./page/screen.js";
import { useSheet } from "./page/sheet.js";
import { useWhatIf } from "./page/what_if.js";
import { Panel } from "./panel/panel.js";
import { Predict } from "./panel/predict.js";
import { scrollTo } from "./panel/scroll.js";
import { WhatIf } from "./panel/what_if.js";
import { savePng, saveSvg } from "./picture/export.js";
import { Frame } from "./picture/frame.js";
import { PresentButton, usePresentation } from "./picture/presentation.js";
import { Stepper } from "./picture/stepper.js";
import { Link } from "./widgets/link.js";
import { OpenExplorer } from "./widgets/open_explorer.js";
import { Refusal } from "./widgets/refusal.js";

const NONE = new Map();

// `initial`: the state of the address. `initialLang`: the language to begin with.
export function Page({ layers, initial, initialLang }) {
  const { evaluation, latest, failure, show, fail, dismiss } = useEvaluation(layers);
  const [lang, setLang] = useState(initialLang);
  useLayerTexts(layers, lang);
  useTitles(lang);
  const [unfolded, unfold] = useState(false); // the form of the panel
  const [kept, setKept] = useState(keptNetworks);
  const narrow = useNarrow();
  const [presented, present] = usePresentation();
  const aside = useRef();
  const sheet = useSheet(aside);
  const { embed } = initial;
  const t = useMemo(() => translator(GRAPH_TEXTS, lang), [lang]);
  const { model, document, row, origin } = evaluation ?? {};
  const [badges, setBadges] = useBadges(model);
  const reread = () => setKept(keptNetworks());
  const { view, look, stay, change, edit, openExample, openOwn, openTour, openAddress, go, ...navigation } = useNavigation(initial, { evaluation, latest, show, reread });
  const { step, selected, tour, stop, down, tab } = view;
  const here = TOURS[tour]?.stops[stop];
  const compared = useWhatIf(evaluation);
  const predictions = usePredictions(model, selected, step, here?.section);
  const [{ seen }, veiled] = [predictions, predictions.on];
  const paced = usePaced(seen, step, selected);
  const opening = useOpening(openOwn, document, !embed);
  const select = (place) => { navigation.select(place); sheet.raise(); };

  const address = evaluation && { ...origin, document, ...view, example: row, lang, embed };
  useAddress(address, openAddress);
  useEffect(() => { openAddress(initial); }, []);
  useEffect(() => { if (!embed && origin?.changed && !titleOf(document, kept)) keepDraft(document); }, [document]);
  useEffect(() => { globalThis.document.documentElement.lang = lang; globalThis.document.title = `deltawire: ${t("subtitle")}`; }, [lang]);
  useEffect(() => { if (evaluation) scrollTo(aside.current, here?.section, narrow); }, [document?.network, tour, stop, paced, lang]);
  useEffect(() => { if (compared.result && !narrow) aside.current.scrollTop = 0; }, [!compared.result]); // its card is above what was read

  const warnings = useMemo(() => (model ? warningsOf(model, t) : NONE), [model, t]);
  const shown = { model: seen, before: veiled ? null : compared.result?.before ?? null, step, selected, warnings: veiled ? NONE : warnings, badges, t };
  const away = Boolean(here && model && !(step === stepNamed(model, here.step) && selected === here.at));

  return html`<div class=${`page ${failure ? "stale" : ""} ${presented ? "presented" : ""} ${embed ? `embedded ${embed === "picture" ? "picture-alone" : ""}` : ""}`}>
    <button class="skip" onClick=${() => aside.current.focus()}>${t("skip")}</button>
    <${Header} take=${opening.take} open=${openExample} openKept=${(title) => openOwn(kept.find((one) => one.title === title).document)} ...${{ ...origin, kept, document, tour, openTour, lang, t }}
      setLang=${(chosen) => { setLang(chosen); remember("lang", chosen); }} />
    <main>
      <div class="stage">
        <${Frame} network=${document?.network} ...${{ model, down, narrow, presented, shown, select, unfold }}>${(drawing) => html`
          <p class="tools">${embed && evaluation && html`<${OpenExplorer} t=${t} address=${() => addressOf({ ...address, embed: null })} />`}${narrow && !sheet.over && html`<button data-open-panel onClick=${sheet.open}>${t("explanation")}</button>`}<${PresentButton} ...${{ presented, present, t }} /><button data-turn onClick=${() => look({ down: !drawing?.down })}>${t(drawing?.down ? "across" : "down")}</button>
            <${Link} t=${t} address=${() => addressOf(address)} />
            <button onClick=${() => saveSvg({ ...shown, drawing }, origin.name)}>SVG</button><button onClick=${() => savePng({ ...shown, drawing }, origin.name)}>PNG</button></p>
          ${opening.failure ? html`<${Refusal} ...${{ ...opening, t }} />`
            : failure && html`<${Refusal} drawn=${Boolean(model)} dismiss=${model && !failure.error.passing && dismiss} ...${{ failure, t }} />`}`}<//>
        ${model && html`<${Stepper} ...${{ model: seen, step, go, t }} />`}
        <${Drawer} startRate=${rateOf(origin?.name)} document=${latest} choose=${(chosen) => show(latest, { example: chosen, then: stay })}
          setTab=${(chosen) => look({ tab: chosen })} fail=${(fault) => fail(new Failure(fault))}
          ...${{ tab, evaluation, failure, layers, selected, select, warnings, badges, setBadges, reread, change, edit, kept, openOwn, veiled, t }} />
      </div>
      <aside ref=${aside} class=${sheet.over ? "over" : ""} tabindex="-1">
        <${Tour} ...${{ tour, stop, veiled: !away && predictions.questions.length > 0 && !predictions.begun, away, lang, t }} changed=${Boolean(origin?.changed)} open=${openTour} />
        ${tour === null && !origin?.changed && html`<${Welcome} ...${{ lang, t }} open=${openTour} />`}
        ${model && html`<${Predict} ...${{ ...predictions, t }} />`}
        <${WhatIf} ...${{ ...compared, model, t }} result=${veiled ? null : compared.result} />
        ${paced.model && html`<${Panel} ...${{ model: paced.model, step: paced.step, go, t, select, warnings: shown.warnings, badges, edit, unfolded, unfold }} close=${narrow && sheet.close} name=${paced.selected} />`}
      </aside>
    </main>
    ${opening.over && html`<p class="dropping">${t("dropHere")}</p>`}
  </div>`;
}
