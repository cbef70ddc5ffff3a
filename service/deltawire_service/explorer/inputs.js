// The data: sliders and fields for single numbers, text for arrays, the choice of the example, a batch from a file.
import { html, useState } from "./dom.js";
import { precise, times } from "./numbers.js";

export function Inputs({ document, example, choose, losses, setData, t }) {
  const inputs = Object.entries(document.network.inputs);
  const [error, setError] = useState("");
  const first = inputs.find(([, slot]) => !slot.shared);
  const batch = first ? document.data[first[0]]?.length ?? 1 : 1;
  const set = (name, value) => {
    const slot = document.network.inputs[name];
    const array = slot.shared ? value : document.data[name].map((old, i) => (i === example ? value : old));
    setData({ ...document.data, [name]: array });
  };
  const upload = async (file) => {
    try {
      const data = JSON.parse(await file.text());
      setError("");
      setData({ ...document.data, ...(data.data ?? data) }, true);
    } catch (wrong) { setError(wrong.message); }
  };
  return html`<div class="inputs">
    ${batch > 1 && html`<label class="field wide"><span>${t("example")}</span>
      <select class="example" value=${example} onChange=${(event) => choose(Number(event.target.value))}>
        ${Array.from({ length: batch }, (_, i) => html`<option value=${i} selected=${i === example}>${i + 1} / ${batch}${losses ? ` — ${t("loss")} ${precise(losses[i])}` : ""}</option>`)}
      </select><small>${t("exampleNote")}</small></label>`}
    <div class="sliders">${inputs.map(([name, slot]) => {
      const value = slot.shared ? document.data[name] : document.data[name]?.[example];
      return slot.shape.length === 0 && typeof value === "number"
        ? html`<${Slider} key=${name} ...${{ name, slot, value, set }} />` : html`<${ArrayField} key=${name} ...${{ name, slot, value, set, t }} />`;
    })}</div>
    <label class="upload">${t("upload")} <input type="file" accept=".json,application/json" onChange=${(event) => event.target.files[0] && upload(event.target.files[0])} /></label>
    ${error && html`<p class="warning">${error}</p>`}
  </div>`;
}

function Slider({ name, slot, value, set }) {
  const reach = Math.max(10, Math.ceil(2 * Math.abs(value)));
  const [range] = useState(reach);
  const whole = slot.dtype === "int64";
  const bound = Math.max(range, Math.abs(value));
  const change = (event) => { if (event.target.value !== "" && Number.isFinite(Number(event.target.value))) set(name, Number(event.target.value)); };
  return html`<label class="slider"><b>${name}</b>
    <input type="range" min=${whole ? 0 : -bound} max=${bound} step=${whole ? 1 : 0.1} value=${value} onInput=${change} aria-label=${name} />
    <input type="number" step=${whole ? 1 : "any"} value=${value} onInput=${change} aria-label=${`${name} =`} data-input=${name} /></label>`;
}

function ArrayField({ name, slot, value, set, t }) {
  const [wrong, setWrong] = useState(false);
  const change = (event) => {
    try { setWrong(false); set(name, JSON.parse(event.target.value)); } catch { setWrong(true); }
  };
  return html`<label class=${`array ${wrong ? "wrong" : ""}`}><b>${name}</b> <small>${times(slot.shape)} ${slot.shared ? t("shared") : ""}</small>
    <textarea rows="2" spellcheck="false" data-input=${name} onChange=${change}>${JSON.stringify(value)}</textarea></label>`;
}
