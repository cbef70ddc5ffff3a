// Below the graph, in tabs: the inputs, what stands out, plots, training, the request as text.
import { html, useRef } from "../core/dom.js";
import { Editor } from "./editor.js";
import { Findings } from "./findings.js";
import { Inputs } from "./inputs.js";
import { later } from "../widgets/later.js";
import { findingsOf } from "../core/marks.js";
import { Plots } from "./plots.js";
import { Splitter } from "./splitter.js";

const Training = later(() => import("./training/training.js").then((found) => found.Training));

export const TABS = ["inputs", "findings", "plots", "train", "edit"];

export function Drawer({ tab, setTab, seen, document, faults, breaks, layers, selected, select, marks, badges, setBadges, choose, change, edit, suits, t, theme }) {
  const draft = useRef({}); // what was typed, while other tabs are looked at
  const trains = useRef(false); // from the first look on, also when other tabs are looked at
  trains.current ||= tab === "train";
  const label = (one) => html`${t(`tab_${one}`)}${one === "findings" && marks.size > 0 && html` <b class="count">${findingsOf(marks, t).length}</b>`}`;
  return html`<div class="drawer"><${Splitter} t=${t} />
    <div class="tabs" role="tablist">${TABS.map((one) => html`
      <button role="tab" aria-selected=${tab === one} class=${tab === one ? "on" : ""} onClick=${() => setTab(one)}>${label(one)}</button>`)}</div>
    ${seen && html`<div class="content" role="tabpanel">
      ${tab === "inputs" && html`<${Inputs} ranges=${seen.plan.ranges} example=${seen.row} losses=${seen.losses} ...${{ document, choose, t }}
        setData=${(data, anew) => change({ ...document, data }, anew ? { example: 0 } : {})} />`}
      ${tab === "findings" && html`<${Findings} ...${{ seen, marks, badges, setBadges, t, select }} />`}
      ${tab === "plots" && html`<${Plots} model=${seen.model} ...${{ t, theme }} />`}
      ${trains.current && html`<div hidden=${tab !== "train"}><${Training} document=${seen.document} model=${seen.model} shown=${tab === "train"} ...${{ suits, t, theme }}
        setParams=${(params) => change({ ...seen.document, params })} /></div>`}
      ${tab === "edit" && html`<div class="editing"><${Editor} draft=${draft} document=${seen.document} model=${seen.model} ...${{ faults, breaks, layers, selected, edit, t }}
        apply=${(asked) => edit(() => asked, { renew: sameParams(asked, seen.document) })} /></div>`}
    </div>`}
  </div>`;
}

// Parameters someone typed are theirs: they are refused when they do not fit, not replaced.
const sameParams = (one, other) => JSON.stringify(one.params) === JSON.stringify(other.params);
