// The page: what is looked at, how far, and all its parts around that.
import * as api from "./core/api.js";
import { html, render, useEffect, useMemo, useRef, useState } from "./core/dom.js";
import { Drawer, TABS } from "./drawer/drawer.js";
import { exampleDocument, NAMES, RATE, RATES } from "./core/examples.js";
import { savePng, saveSvg } from "./picture/export.js";
import { viewOf } from "./picture/fit.js";
import { Graph } from "./picture/graph.js";
import { LANGUAGES, translator } from "./lecture/i18n.js";
import { Key } from "./picture/key.js";
import { Link } from "./widgets/link.js";
import { oriented } from "./picture/layout.js";
import { marksOf } from "./core/marks.js";
import { nodeAt, stepOf } from "./core/model.js";
import { Panel } from "./panel/panel.js";
import { Refusal } from "./widgets/refusal.js";
import { bringUp } from "./panel/sight.js";
import { look } from "./core/session.js";
import { fromHash, remember, remembered, toHash } from "./core/state.js";
import { Stepper } from "./picture/stepper.js";
import { Top } from "./lecture/top.js";
import { Tour, Welcome } from "./lecture/tour.js";
import { TOURS } from "./lecture/tours.js";

const NONE = new Map();
const LONGEST = 1_000_000; // of an address; browsers take no more than twice that
const NARROW = "(max-width: 760px)";

// ">f": just after f's value; "<f": just after f sent its deltas; "end".
function stepNamed(model, told) {
  if (typeof told === "number") return Math.min(told, model.last);
  const name = told.slice(1);
  return told === "end" ? model.last : told[0] === ">" ? model.forward.indexOf(name) + 1 : stepOf(model, name);
}

function Page({ layers, initial }) {
  const [name, setName] = useState(initial.name ?? NAMES[0]);
  const [changed, setChanged] = useState(Boolean(initial.document));
  const [seen, setSeen] = useState(null); // the last look that succeeded
  const [document_, setDocument] = useState(null); // the document being tried
  const [faults, setFaults] = useState([]);
  const [step, setStep] = useState(0);
  const [selected, setSelected] = useState(initial.selected);
  const [lang, setLang] = useState(LANGUAGES[initial.lang] ? initial.lang : "en");
  const [tour, setTour] = useState(initial.tour);
  const [stop, setStop] = useState(initial.stop);
  const [down, setDown] = useState(initial.down);
  const [tab, setTab] = useState(TABS.includes(initial.tab) ? initial.tab : "inputs");
  const [theme, setTheme] = useState(remembered("theme", ["light", "dark"]) ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  const [badges, setBadges] = useState({ of: null, found: null });
  const [unfolded, unfold] = useState(false);
  const [narrow, setNarrow] = useState(matchMedia(NARROW).matches);
  const [view, setView] = useState(null);
  const [near, setNear] = useState(true);
  const canvas = useRef();
  const aside = useRef();
  const turn = useRef(0);
  const t = useMemo(() => translator(lang), [lang]);

  const show = async (document, { example = seen?.row ?? 0, renew = false, then } = {}) => {
    const mine = turn.current += 1;
    setDocument(document);
    try {
      const found = await look(document, example, layers, renew, () => mine !== turn.current);
      if (!found || mine !== turn.current) return;
      setFaults([]);
      setDocument(found.document);
      setSeen(found);
      then?.(found.model);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      if (mine === turn.current) setFaults(error.faults.length ? error.faults : [{ pointer: "", detail: error.message }]);
    }
  };
  const breaks = (fault) => { // a text that is no JSON: what was under way counts no more
    turn.current += 1;
    setFaults([fault]);
  };
  const edit = (change, options = {}) => {
    setChanged(true);
    setTour(null);
    show(change(structuredClone(document_)), { renew: true, then: keep, ...options });
  };
  const keep = (model) => {
    setStep((old) => (old >= (seen?.model.last ?? 0) ? model.last : Math.min(old, model.last)));
    setSelected((old) => (model.places.has(old) ? old : nodeAt(model, model.last)));
  };
  const open = async (chosen, then) => {
    setName(chosen);
    setChanged(false);
    setDown(null); // what suits one network does not suit the next
    await show(await exampleDocument(chosen), { example: 0, then });
  };
  const atEnd = (model) => { setStep(model.last); setSelected(nodeAt(model, model.last)); };
  const openTour = async (which, where) => {
    if (which === null) { setTour(null); return; }
    const here = TOURS[which].stops[where];
    const then = (model) => { // the card and the picture it speaks of change together
      setTour(which);
      setStop(where);
      setTab(here.tab ?? "inputs");
      setStep(stepNamed(model, here.step));
      setSelected(here.at);
    };
    if (here.example === name && !changed && seen) then(seen.model);
    else await open(here.example, then);
  };

  useEffect(() => {
    const then = (model) => {
      setStep(initial.step === null ? model.last : Math.min(initial.step, model.last));
      setSelected(model.places.has(initial.selected) ? initial.selected : nodeAt(model, Math.min(initial.step ?? model.last, model.last)));
    };
    if (initial.document) show(initial.document, { example: initial.example, then });
    else if (TOURS[initial.tour]?.stops[initial.stop] && initial.step === null) openTour(initial.tour, initial.stop);
    else exampleDocument(name).then((document) => show(document, { example: initial.example, then }));
    const media = matchMedia(NARROW);
    const watch = () => setNarrow(media.matches);
    media.addEventListener("change", watch);
    return () => media.removeEventListener("change", watch);
  }, []);
  useEffect(() => { document.documentElement.dataset.theme = theme; }, [theme]);
  useEffect(() => { document.documentElement.lang = lang; document.title = `deltawire: ${t("subtitle")}`; }, [lang]);
  useEffect(() => { if (seen) bringUp(aside.current, TOURS[tour]?.stops[stop]?.see, narrow); }, [seen?.document.network, tour, stop, step, selected, lang]);
  useEffect(() => {
    const size = () => setView(viewOf(canvas.current, narrow));
    const watch = new ResizeObserver(size);
    watch.observe(canvas.current);
    return () => watch.disconnect();
  }, [narrow]);
  useEffect(() => {
    if (!seen) return undefined;
    const wait = setTimeout(async () => {
      const { document, row: example } = seen;
      const hash = await toHash({ name, changed, document, step, selected, example, lang, tour, stop, down, tab });
      history.replaceState(null, "", hash.length > LONGEST ? "#" : hash);
    }, 150);
    return () => clearTimeout(wait);
  }, [seen, step, selected, lang, tour, stop, down, tab]);

  const model = seen?.model;
  const network = seen && JSON.stringify([seen.document.network, down, narrow]);
  const drawing = useMemo(() => (model && view ? oriented(model, down, narrow, view) : null), [network, view]);
  const marks = useMemo(() => (model ? marksOf(model, t) : new Map()), [model, t]);
  const badgesNow = badges.of === model && badges.found ? badges.found : NONE;

  const shown = { model, drawing, step, selected, marks, badges: badgesNow, t };

  const go = (to) => { setStep(to); setSelected(nodeAt(model, to) ?? selected); };
  const select = (place) => {
    setSelected(place);
    setStep((old) => Math.max(old, stepOf(model, place)));
    if (narrow) aside.current.querySelector(".panel").scrollIntoView({ behavior: "smooth" });
  };
  const changeTheme = (other) => { setTheme(other); remember("theme", other); };
  const changeTo = (document, options = {}) => {
    setChanged(true);
    show(document, { then: keep, ...options });
  };
  const here = TOURS[tour]?.stops[stop];
  const away = Boolean(here && model && !(step === stepNamed(model, here.step) && selected === here.at));
  const own = (chosen) => { setTour(null); open(chosen, atEnd); };

  return html`<div class="page">
    <${Top} open=${own} ...${{ name, changed, tour, openTour, theme, lang, setLang, t }} setTheme=${changeTheme} />
    <main>
      <div class="stage">
        <div class=${`canvas ${faults.length ? "stale" : ""}`}>
          <${Key} ...${{ model, step, near, t }} />
          <div class="ground" ref=${canvas}>
            ${drawing && html`<${Graph} ...${{ shown, select, unfold, narrow, tell: setNear }} />`}
          </div>
          <p class="tools"><button onClick=${() => setDown(!drawing?.down)}>${t(drawing?.down ? "across" : "down")}</button>
            <${Link} t=${t} />
            <button onClick=${() => saveSvg(shown, name)}>SVG</button><button onClick=${() => savePng(shown, name)}>PNG</button></p>
          ${faults.length > 0 && html`<${Refusal} fault=${faults[0]} ...${{ seen, t }} />`}
        </div>
        ${model && html`<${Stepper} ...${{ model, step, go, t }} />`}
        <${Drawer} suits=${RATES[name] ?? RATE} badges=${badgesNow} document=${document_} choose=${(row) => show(document_, { example: row, then: keep })} change=${changeTo}
          ...${{ tab, setTab, seen, faults, breaks, layers, selected, select, marks, setBadges, edit, t, theme }} />
      </div>
      <aside ref=${aside}>
        <${Tour} ...${{ tour, stop, away, lang, t }} open=${openTour} />
        ${tour === null && !changed && html`<${Welcome} ...${{ lang, t }} open=${openTour} />`}
        ${model && html`<${Panel} ...${{ model, step, go, t, select, marks, badges: badgesNow, edit, unfolded, unfold }} name=${selected} />`}
      </aside>
    </main>
  </div>`;
}

const [layers, initial] = await Promise.all([api.layers(), fromHash(location.hash)]);
const place = document.getElementById("page");
place.replaceChildren();
render(html`<${Page} layers=${layers} initial=${initial} />`, place);
addEventListener("hashchange", () => location.reload());
