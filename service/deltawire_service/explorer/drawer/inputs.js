// The data: sliders and fields for single numbers, text for arrays, the choice of the example, a batch from elsewhere.
import { columnsOf, readBatch, Unreadable } from "./batch.js";
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { precise, times } from "../core/numbers.js";

export function Inputs({ document, ranges, example, choose, losses, setData, t }) {
  const inputs = Object.entries(document.network.inputs);
  const first = inputs.find(([, slot]) => !slot.shared);
  const batch = first ? document.data[first[0]]?.length ?? 1 : 1;
  const set = (name, value) => {
    const slot = document.network.inputs[name];
    const array = slot.shared ? value : document.data[name].map((old, i) => (i === example ? value : old));
    setData({ ...document.data, [name]: array });
  };
  return html`<div class="inputs">
    ${batch > 1 && html`<label class="field wide"><span>${t("example")}</span>
      <select class="example" value=${example} onChange=${(event) => choose(Number(event.target.value))}>
        ${Array.from({ length: batch }, (_, i) => html`<option value=${i} selected=${i === example}>
          ${i + 1} / ${batch}${losses ? ` — ${t("loss")} ${precise(losses[i])}` : ""}</option>`)}
      </select><small>${t("exampleNote")}</small></label>`}
    <div class="sliders">${inputs.map(([name, slot]) => {
      const value = slot.shared ? document.data[name] : document.data[name]?.[example];
      return slot.shape.length === 0 && typeof value === "number"
        ? html`<${Slider} key=${name} allowed=${ranges[name]} ...${{ name, slot, value, set }} />` : html`<${ArrayField} key=${name} ...${{ name, slot, value, set, t }} />`;
    })}</div>
    <${Batch} inputs=${document.network.inputs} t=${t} take=${(data) => setData({ ...document.data, ...data }, true)} />
  </div>`;
}

// A batch from a file, or pasted.
function Batch({ inputs, take, t }) {
  const [told, setTold] = useState(null);
  const note = useRef();
  useEffect(() => note.current?.scrollIntoView({ block: "nearest" }), [told]);
  const read = (text, file) => {
    try {
      const data = readBatch(text, inputs);
      take(data);
      setTold({ text: t("batchRead", Object.values(data)[0]?.length ?? 0, file) });
    } catch (wrong) {
      if (!(wrong instanceof Unreadable)) throw wrong;
      setTold({ wrong: true, text: (file ? `${file}: ` : "") + t(wrong.message, ...wrong.values) });
    }
  };
  const columns = columnsOf(inputs);
  const shown = columns.length > 8 ? [...columns.slice(0, 6), "…", columns.at(-1)] : columns;
  return html`<details class="batch"><summary>${t("batch")}</summary>
    ${told && html`<p ref=${note} class=${told.wrong ? "warning" : "taken"} role="status" data-batch=${told.wrong ? "wrong" : "read"}>${told.text}</p>`}
    <p class="quiet">${t("batchNote")} <code>${shown.join(",")}</code></p>
    <textarea rows="3" spellcheck="false" data-paste aria-label=${t("paste")} placeholder=${t("paste")}
      onInput=${(event) => read(event.target.value)}></textarea>
    <label>${t("upload")} <input type="file" data-upload accept=".csv,.tsv,.txt,.json,text/csv,application/json"
      onChange=${async (event) => { const [file] = event.target.files; if (file) read(await file.text(), file.name); event.target.value = ""; }} /></label>
  </details>`;
}

// What a field shows. Answers come while somebody types there: until they leave it, what stands in it is theirs.
function useShown(value) {
  const [typing, setTyping] = useState(false);
  return { value: typing ? undefined : value, onFocus: () => setTyping(true), onBlur: () => setTyping(false) };
}

// `allowed`: of integers, the least and the largest the layers take.
function Slider({ name, slot, value, allowed, set }) {
  const reach = Math.max(10, Math.ceil(2 * Math.abs(value)));
  const [range] = useState(reach);
  const shown = useShown(value);
  const whole = slot.dtype === "int64";
  const bound = Math.max(range, Math.abs(value));
  const [least, most] = allowed ?? [whole ? 0 : -bound, bound];
  const change = ({ target }) => { if (target.value !== "" && Number.isFinite(Number(target.value))) set(name, Number(target.value)); };
  return html`<label class="slider"><b>${name}</b>
    <input type="range" min=${least} max=${most} step=${whole ? 1 : 0.1} value=${value} onInput=${change} aria-label=${name} />
    <input type="number" step=${whole ? 1 : "any"} min=${allowed?.[0]} max=${allowed?.[1]} ...${shown}
      onInput=${change} aria-label=${`${name} =`} data-input=${name} /></label>`;
}

function ArrayField({ name, slot, value, set, t }) {
  const [wrong, setWrong] = useState(false);
  const shown = useShown(JSON.stringify(value));
  const change = (event) => {
    try { setWrong(false); set(name, JSON.parse(event.target.value)); } catch { setWrong(true); }
  };
  return html`<label class=${`array ${wrong ? "wrong" : ""}`}><b>${name}</b> <small>${times(slot.shape)} ${slot.shared ? t("shared") : ""}</small>
    <textarea rows="2" spellcheck="false" data-input=${name} ...${shown} onInput=${change}></textarea></label>`;
}
