// The request as text: network, parameters and data; what the service finds wrong stands at its very line.
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { AddLayer } from "./add_layer.js";
import { lineOf, lineOfError, written } from "./pointers.js";
import { told } from "../widgets/refusal.js";

const PAUSE = 250; // of typing, before what is typed is tried

// `draft`: {of, text}, a text that was typed and refused; `of` the document it would have replaced.
export function Editor({ document, draft, apply, faults, breaks, layers, model, selected, edit, t }) {
  const [text, setText] = useState(draft.current.of === document && faults.length ? draft.current.text : written(document));
  const numbers = useRef();
  const waiting = useRef();
  const trying = useRef();
  trying.current = apply; // of the page as it is when the pause ends
  const shown = useRef(document);
  useEffect(() => {
    if (shown.current !== document) setText((old) => (same(old, document) ? old : written(document)));
    shown.current = document;
  }, [document]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const change = (now) => {
    setText(now);
    draft.current = { of: document, text: now };
    clearTimeout(waiting.current);
    try {
      const read = JSON.parse(now);
      waiting.current = setTimeout(() => trying.current(read), PAUSE);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      breaks({ line: lineOfError(now, error), pointer: "", code: "json_invalid", detail: error.message });
    }
  };
  const found = faults.map((fault) => ({ ...fault, line: fault.line ?? lineIn(text, fault.pointer) }));
  const lines = new Set(found.map((one) => one.line));
  const count = text.split("\n").length;
  return html`<div class="editor">
    <div class="lines" aria-hidden="true"><pre ref=${numbers}>${Array.from({ length: count }, (_, i) =>
      html`<span class=${lines.has(i + 1) ? "wrong" : ""}>${i + 1}\n</span>`)}</pre></div>
    <textarea spellcheck="false" aria-label=${t("edit")} value=${text} wrap="off" onInput=${(event) => change(event.target.value)}
      onScroll=${(event) => { numbers.current.style.transform = `translateY(${-event.target.scrollTop}px)`; }}></textarea></div>
    <div class="beside">
      ${found.length ? html`<ul class="faults" role="alert">${found.map((one) => html`<li data-line=${one.line}>
          <b>${t("line", one.line)}</b> ${told(one, t)} <code>${one.pointer ?? ""}</code></li>`)}</ul>`
        : html`<p class="quiet">${t("editNote")}</p>`}
      ${model && html`<h3>${t("addLayer")}</h3><${AddLayer} ...${{ layers, model, selected, edit, t }} />`}
    </div>`;
}

// Whether a text, however it is written, is of this document: then it stays as it is being typed.
function same(text, document) {
  try { return JSON.stringify(JSON.parse(text)) === JSON.stringify(document); } catch { return false; }
}

// Of a fault that came while the text was changed on: none.
function lineIn(text, pointer) {
  try { JSON.parse(text); } catch { return 1; }
  return lineOf(text, pointer);
}
