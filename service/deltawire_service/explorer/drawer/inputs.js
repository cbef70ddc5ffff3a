// Edits the data: sliders and fields for single numbers, text for arrays, the choice of the example, whole batches.
import { html, useState } from "../core/dom.js";
import { isLost, lossIn } from "../core/files/losses.js";
import { dataInputs } from "../core/model.js";
import { times } from "../core/arrays.js";
import { precise } from "../core/numbers.js";
import { rowsOf } from "../core/runs/rows.js";
import { Described } from "../widgets/described.js";
import { Batch } from "./batch.js";

/** @param {{ t: Translate, [other: string]: any }} props */
export function Inputs({ document, ranges, example, choose, losses, setData, t }) {
  const own = dataInputs(document.network.inputs);
  const inputs = Object.entries(own);
  const first = inputs.find(([, spec]) => !spec.shared);
  const batch = first ? document.data[first[0]]?.length ?? 1 : 1;
  const set = (name, value) => {
    const { shared } = document.network.inputs[name];
    const array = shared ? value : document.data[name].map((old, i) => (i === example ? value : old));
    setData({ ...document.data, [name]: array });
  };
  return html`<div class="inputs"><${Origin} rows=${rowsOf(document.data)} t=${t} />
    ${batch > 1 && html`<label class="field wide"><span>${t("example")}</span>
      <select class="example" value=${example} onChange=${(event) => choose(Number(event.target.value))}>
        ${Array.from({ length: batch }, (_, i) => html`<option value=${i} selected=${i === example}>
          ${i + 1} / ${batch}${losses ? ` — ${t("loss")} ${precise(losses[i])}` : ""}</option>`)}
      </select><small>${t("exampleNote")}</small></label>`}
    <div class="sliders">${inputs.map(([name, spec]) => {
      const value = spec.shared ? document.data[name] : document.data[name]?.[example];
      return spec.shape.length === 0 && typeof value === "number"
        ? html`<${Slider} key=${name} allowed=${ranges[name]} ...${{ name, spec, value, set }} />` : html`<${ArrayField} key=${name} ...${{ name, spec, value, set, t }} />`;
    })}</div>
    <${Batch} inputs=${own} t=${t} take=${(data) => setData({ ...document.data, ...data }, true)} />
  </div>`;
}

// Says which rows of a run's dataset the numbers are, or why they are none.
/** @param {{ rows: ReturnType<typeof rowsOf>, t: Translate }} props */
function Origin({ rows, t }) {
  if (!rows) return null;
  if (rows.fault) return html`<p class="warning" role="status" data-rows="random">${t("rowsRandom")} <${Described} fault=${rows.fault} t=${t} /></p>`;
  const text = t(!rows.batch ? "rowsFirst" : rows.count < rows.all ? "rowsOfBatch" : "rowsBatch", rows.run, rows.dataset, rows.count);
  return html`<p class="quiet" role="status" data-rows=${rows.batch ? "batch" : "first"}>${text}</p>`;
}

// The properties of a field that is typed in: answers that come meanwhile do not change its text.
function useShown(value) {
  const [typing, setTyping] = useState(false);
  return { value: typing ? undefined : value, onFocus: () => setTyping(true), onBlur: () => setTyping(false) };
}

// `allowed`: the least and the largest integer that the layers take.
function Slider({ name, spec, value, allowed, set }) {
  const reach = Math.max(10, Math.ceil(2 * Math.abs(value)));
  const [range] = useState(reach); // of the first value, so that the slider keeps its scale
  const shown = useShown(value);
  const whole = spec.dtype === "int64";
  const bound = Math.max(range, Math.abs(value));
  const [least, most] = allowed ?? [whole ? 0 : -bound, bound];
  const change = ({ target }) => { if (target.value !== "" && Number.isFinite(Number(target.value)) && !isLost(target.value)) set(name, Number(target.value)); };
  return html`<label class="slider"><b>${name}</b>
    <input type="range" min=${least} max=${most} step=${whole ? 1 : 0.1} value=${value} onInput=${change} aria-label=${name} />
    <input type="number" step=${whole ? 1 : "any"} min=${allowed?.[0]} max=${allowed?.[1]} ...${shown}
      onInput=${change} aria-label=${`${name} =`} data-input=${name} /></label>`;
}

/** @param {{ t: Translate, [other: string]: any }} props */
function ArrayField({ name, spec, value, set, t }) {
  const [wrong, setWrong] = useState(false);
  const shown = useShown(JSON.stringify(value));
  const change = (event) => {
    const { value: text } = event.target;
    try {
      const read = JSON.parse(text);
      const loss = lossIn(text);
      setWrong(Boolean(loss));
      if (!loss) set(name, read);
    } catch { setWrong(true); }
  };
  return html`<label class=${`array ${wrong ? "wrong" : ""}`}><b>${name}</b> <small>${times(spec.shape)} ${spec.shared ? t("shared") : ""}</small>
    <textarea rows="2" spellcheck="false" data-input=${name} ...${shown} onInput=${change}></textarea></label>`;
}
