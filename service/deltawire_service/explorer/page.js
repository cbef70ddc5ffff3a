// Holds the state of the page (the document, the step, the selected place) and draws all its parts around it.
import { Refused } from "./core/api.js";
import { html, useEffect, useMemo, useRef, useState } from "./core/dom.js";
import { exampleDocument, NAMES, rateOf } from "./core/examples.js";
import { evaluate } from "./core/session.js";
import { toAddress } from "./core/state.js";
import { nodeAt, stepOf } from "./core/steps.js";
import { warningsOf } from "./core/warnings.js";
import { Drawer, TABS } from "./drawer/drawer.js";
import { Header } from "./header.js";
import { LANGUAGES, translator } from "./lecture/i18n.js";
import { Tour, Welcome } from "./lecture/tour.js";
import { TOURS } from "./lecture/tours.js";
import { Panel } from "./panel/panel.js";
import { scrollTo } from "./panel/scroll.js";
import { savePng, saveSvg } from "./picture/export.js";
import { viewOf } from "./picture/fit.js";
import { Graph } from "./picture/graph.js";
import { drawingOf } from "./picture/layout.js";
import { Legend } from "./picture/legend.js";
import { Stepper } from "./picture/stepper.js";
import { Link } from "./widgets/link.js";
import { Refusal } from "./widgets/refusal.js";
import { useTheme } from "./widgets/switches.js";

const NONE = new Map();
const LONGEST = 1_000_000; // letters of an address: browsers take at most twice that
const NARROW = "(max-width: 760px)";
const SETTLED = 150; // milliseconds without a change, before the address is written

export function Page({ layers, initial }) {
  const [name, setName] = useState(NAMES.includes(initial.name) ? initial.name : NAMES[0]);
  const [changed, setChanged] = useState(Boolean(initial.document));
  const [evaluation, setEvaluation] = useState(null); // the last that succeeded
  const [latest, setLatest] = useState(null); // the document to change next: its data may be refused
  const [faults, setFaults] = useState([]);
  const [step, setStep] = useState(0);
  const [selected, setSelected] = useState(initial.selected);
  const [lang, setLang] = useState(Object.hasOwn(LANGUAGES, initial.lang ?? "") ? initial.lang : "en");
  const [tour, setTour] = useState(TOURS[initial.tour]?.stops[initial.stop] ? initial.tour : null);
  const [stop, setStop] = useState(initial.stop);
  const [down, setDown] = useState(initial.down);
  const [tab, setTab] = useState(TABS.includes(initial.tab) ? initial.tab : "inputs");
  const [theme, setTheme] = useTheme();
  const [checked, setChecked] = useState({ model: null, badges: NONE });
  const [unfolded, unfold] = useState(false);
  const [detail, setDetail] = useState(true);
  const narrow = useNarrow();
  const canvas = useRef();
  const view = useView(canvas, narrow);
  const aside = useRef();
  const turn = useRef(0);
  const t = useMemo(() => translator(lang), [lang]);
  const model = evaluation?.model;

  // Evaluates a document and shows it, unless a newer one comes; `then` is called with its model.
  // Sliders change a document further before its answer comes; a `tentative` one only when it succeeds.
  const show = async (document, { example = evaluation?.row ?? 0, renew = false, tentative = false, then } = {}) => {
    const mine = turn.current += 1;
    const outdated = () => mine !== turn.current;
    if (!tentative) setLatest(document);
    try {
      const next = await evaluate(document, example, layers, renew, outdated);
      if (!next || outdated()) return;
      setFaults([]);
      setLatest(next.document);
      setEvaluation(next);
      then?.(next.model);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!outdated()) setFaults(error.faults.length ? error.faults : [{ pointer: "", detail: error.message }]);
    }
  };
  const fail = (fault) => { // a text that is not JSON: answers to an earlier one are ignored
    turn.current += 1;
    setFaults([fault]);
  };
  const keep = (next) => {
    setStep((old) => (old >= (model?.last ?? 0) ? next.last : Math.min(old, next.last)));
    setSelected((old) => (next.places.has(old) ? old : nodeAt(next, next.last)));
  };
  const change = (document, options = {}) => {
    setChanged(true);
    show(document, { then: keep, ...options });
  };
  const edit = (modify, options = {}) => {
    setTour(null);
    change(modify(structuredClone(latest)), { renew: true, tentative: true, ...options });
  };
  const open = async (chosen, then) => {
    setName(chosen);
    setChanged(false);
    setDown(null); // each network has a direction that suits it
    await show(await exampleDocument(chosen), { example: 0, then });
  };
  const openExample = (chosen) => {
    setTour(null);
    open(chosen, (next) => { setStep(next.last); setSelected(nodeAt(next, next.last)); });
  };
  const openTour = async (chosen, index) => {
    if (chosen === null) { setTour(null); return; }
    const { example, step: at, at: place, tab: named } = TOURS[chosen].stops[index];
    const then = (next) => { // the card and its picture change together
      setTour(chosen);
      setStop(index);
      setTab(named ?? "inputs");
      setStep(stepNamed(next, at));
      setSelected(place);
    };
    if (example === name && !changed && model) then(model);
    else await open(example, then);
  };
  const go = (to) => { setStep(to); setSelected(nodeAt(model, to) ?? selected); };
  const select = (place) => {
    setSelected(place);
    setStep((old) => Math.max(old, stepOf(model, place)));
    if (narrow) aside.current.querySelector(".panel").scrollIntoView({ behavior: "smooth" });
  };

  useEffect(() => {
    const then = (next) => {
      const at = Math.min(initial.step ?? next.last, next.last);
      setStep(at);
      setSelected(next.places.has(initial.selected) ? initial.selected : nodeAt(next, at));
    };
    if (initial.document) show(initial.document, { example: initial.example, then });
    else if (tour !== null && initial.step === null) openTour(tour, stop);
    else exampleDocument(name).then((document) => show(document, { example: initial.example, then }));
  }, []);
  useEffect(() => { document.documentElement.lang = lang; document.title = `deltawire: ${t("subtitle")}`; }, [lang]);
  const here = TOURS[tour]?.stops[stop];
  useEffect(() => { if (evaluation) scrollTo(aside.current, here?.section, narrow); }, [evaluation?.document.network, tour, stop, step, selected, lang]);
  useEffect(() => {
    if (!evaluation) return undefined;
    const timer = setTimeout(async () => {
      const { document, row: example } = evaluation;
      const { query, hash } = await toAddress({ name, changed, document, step, selected, example, lang, tour, stop, down, tab });
      history.replaceState(null, "", `${location.pathname}${query}${hash.length > LONGEST ? "#" : hash}`);
    }, SETTLED);
    return () => clearTimeout(timer);
  }, [evaluation, step, selected, lang, tour, stop, down, tab]);

  const network = evaluation && JSON.stringify([evaluation.document.network, down, narrow]);
  const drawing = useMemo(() => (model && view ? drawingOf(model, down, narrow, view) : null), [network, view]);
  const warnings = useMemo(() => (model ? warningsOf(model, t) : NONE), [model, t]);
  const badges = checked.model === model ? checked.badges : NONE;
  const shown = { model, drawing, step, selected, warnings, badges, t };
  const away = Boolean(here && model && !(step === stepNamed(model, here.step) && selected === here.at));

  return html`<div class="page">
    <${Header} open=${openExample} ...${{ name, changed, tour, openTour, theme, setTheme, lang, setLang, t }} version=${evaluation?.document.model} />
    <main>
      <div class="stage">
        <div class=${`canvas ${faults.length ? "stale" : ""}`}>
          <${Legend} ...${{ model, step, detail, t }} />
          <div class="ground" ref=${canvas}>
            ${drawing && html`<${Graph} ...${{ shown, select, unfold, narrow, setDetail }} />`}
          </div>
          <p class="tools"><button onClick=${() => setDown(!drawing?.down)}>${t(drawing?.down ? "across" : "down")}</button>
            <${Link} t=${t} />
            <button onClick=${() => saveSvg(shown, name)}>SVG</button><button onClick=${() => savePng(shown, name)}>PNG</button></p>
          ${faults.length > 0 && html`<${Refusal} fault=${faults[0]} drawn=${Boolean(model)} t=${t} />`}
        </div>
        ${model && html`<${Stepper} ...${{ model, step, go, t }} />`}
        <${Drawer} startRate=${rateOf(name)} document=${latest} choose=${(row) => show(latest, { example: row, then: keep })} setBadges=${setChecked}
          ...${{ tab, setTab, evaluation, faults, fail, layers, selected, select, warnings, badges, change, edit, t }} />
      </div>
      <aside ref=${aside}>
        <${Tour} ...${{ tour, stop, away, lang, t }} open=${openTour} />
        ${tour === null && !changed && html`<${Welcome} ...${{ lang, t }} open=${openTour} />`}
        ${model && html`<${Panel} ...${{ model, step, go, t, select, warnings, badges, edit, unfolded, unfold }} name=${selected} />`}
      </aside>
    </main>
  </div>`;
}

// The step of a stop: "end", ">f" when f has its value, or "<f" when f has sent its deltas.
function stepNamed(model, step) {
  const name = step.slice(1);
  return step === "end" ? model.last : step[0] === ">" ? model.forward.indexOf(name) + 1 : stepOf(model, name);
}

function useNarrow() {
  const [narrow, setNarrow] = useState(matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const update = () => setNarrow(media.matches);
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, []);
  return narrow;
}

// Follows the size of the element that the picture is drawn in: null before it is known.
function useView(canvas, narrow) {
  const [view, setView] = useState(null);
  useEffect(() => {
    const size = () => setView(viewOf(canvas.current, narrow));
    const watch = new ResizeObserver(size);
    watch.observe(canvas.current);
    return () => watch.disconnect();
  }, [narrow]);
  return view;
}
