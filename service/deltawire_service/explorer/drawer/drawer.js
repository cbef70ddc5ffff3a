// Shows the tabs below the picture: inputs, findings, plots, training and the request as text.
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { findingsOf } from "../core/findings/warnings.js";
import { Editor } from "./editor.js";
import { Findings } from "./findings.js";
import { Inputs } from "./inputs.js";
import { Kept } from "./kept.js";
import { Plots } from "./plots.js";
import { Splitter } from "./splitter.js";

const Training = lazy(() => import("./training/training.js").then((module) => module.Training));

export const TABS = ["inputs", "findings", "plots", "train", "edit", "kept"];

// `veiled`: red numbers are hidden, until the reader has predicted them. `document`: to be changed; its data may be newer than those of the evaluation. `reread`: called when `kept`, the networks of
// one's own, has changed.
/** @param {{ select: (name: string) => void, warnings: Map<string, any[]>, badges: Map<string, any>, t: Translate, [other: string]: any }} props */
export function Drawer({ tab, setTab, evaluation, document, failure, fail, layers, selected, select, warnings, badges, setBadges, choose, change, edit, kept, reread, openOwn, startRate, veiled, t }) {
  const draft = useRef({}); // a text of the editor
  const trains = useRef(false); // once opened, it goes on
  trains.current ||= tab === "train";
  const label = (one) => html`${t(`tab_${one}`)}${one === "findings" && warnings.size > 0 && html` <b class="count">${findingsOf(warnings, t).length}</b>`}`;
  const move = (event) => { // arrow keys go from tab to tab, and not from step to step
    const at = TABS.indexOf(tab);
    const to = { ArrowRight: (at + 1) % TABS.length, ArrowLeft: (at + TABS.length - 1) % TABS.length, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setTab(TABS[to]);
    event.currentTarget.children[to].focus();
  };
  return html`<div class="drawer"><${Splitter} t=${t} />
    <div class="tabs" role="tablist" onKeyDown=${move}>${TABS.map((one) => html`
      <button role="tab" aria-selected=${tab === one} tabindex=${tab === one ? 0 : -1} class=${tab === one ? "on" : ""} onClick=${() => setTab(one)}>${label(one)}</button>`)}</div>
    ${evaluation && html`<div class="content" role="tabpanel">
      ${tab === "inputs" && html`<${Inputs} ranges=${evaluation.plan.ranges} example=${evaluation.row} losses=${evaluation.losses} ...${{ document, choose, t }}
        setData=${(data, whole) => change({ ...document, data }, whole ? { example: 0, tentative: true } : {})} />`}
      ${veiled && (tab === "findings" || tab === "plots") && html`<p class="quiet" data-veiled>${t("predictVeiled")}</p>`}
      ${tab === "findings" && !veiled && html`<${Findings} ...${{ evaluation, warnings, badges, setBadges, t, select }} />`}
      ${tab === "plots" && !veiled && html`<${Plots} model=${evaluation.model} t=${t} />`}
      ${trains.current && html`<div hidden=${tab !== "train"}><${Training} document=${evaluation.document} model=${evaluation.model} shown=${tab === "train"} ...${{ startRate, t }}
        setParams=${(params, run) => change({ ...document, params }, { run })} /></div>`}
      ${tab === "edit" && html`<div class="editing"><${Editor} draft=${draft} document=${evaluation.document} model=${evaluation.model} ...${{ failure, fail, layers, selected, edit, t }}
        look=${() => setTab("kept")} apply=${(typed, accepted) => edit(() => typed, { renew: sameParams(typed, evaluation.document), accepted })} /></div>`}
      ${tab === "kept" && html`<${Kept} document=${evaluation.document} open=${openOwn} ...${{ kept, reread, t }}
        openText=${({ id, text }) => { draft.current = { document: evaluation.document, text, id, opened: true }; setTab("edit"); }} />`}
    </div>`}
  </div>`;
}

// Parameters that were typed are never replaced: those that do not fit are refused.
const sameParams = (one, other) => JSON.stringify(one?.params) === JSON.stringify(other.params);

// Loads a component when it is first shown. `load` returns a promise of it.
function lazy(load) {
  let Part = null;
  return function Lazy(props) {
    const [, draw] = useState(0);
    const [failed, setFailed] = useState(false);
    const fetched = () => {
      setFailed(false);
      load().then((component) => { Part = component; draw((count) => count + 1); }, () => setFailed(true));
    };
    useEffect(() => { if (!Part) fetched(); }, []);
    if (failed) return html`<p class="warning" role="alert">${props.t("failed_away")} <button onClick=${fetched}>${props.t("tryNow")}</button></p>`;
    return Part && html`<${Part} ...${props} />`;
  };
}
