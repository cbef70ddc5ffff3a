// The request as text: network, parameters and data; what the service finds wrong stands at its very line.
import { html, useEffect, useRef, useState } from "./dom.js";
import { AddLayer } from "./forms.js";
import { lineOf, lineOfError, written } from "./pointers.js";

export function Editor({ document, apply, faults, layers, model, selected, edit, t }) {
  const [text, setText] = useState(written(document));
  const [broken, setBroken] = useState(null);
  const numbers = useRef();
  useEffect(() => setText(written(document)), [document]);
  const change = (now) => {
    setText(now);
    try {
      const read = JSON.parse(now);
      setBroken(null);
      apply(read);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      setBroken({ line: lineOfError(now, error), detail: error.message });
    }
  };
  const found = broken ? [broken] : faults.map((fault) => ({ ...fault, line: lineOf(text, fault.pointer) }));
  const lines = new Set(found.map((one) => one.line));
  const count = text.split("\n").length;
  return html`<div class="editing"><div class="editor">
    <pre class="lines" ref=${numbers} aria-hidden="true">${Array.from({ length: count }, (_, i) =>
      html`<span class=${lines.has(i + 1) ? "wrong" : ""}>${i + 1}\n</span>`)}</pre>
    <textarea spellcheck="false" aria-label=${t("edit")} value=${text} wrap="off" onInput=${(event) => change(event.target.value)}
      onScroll=${(event) => { numbers.current.scrollTop = event.target.scrollTop; }}></textarea></div>
    <div class="beside">
      ${found.length ? html`<ul class="faults" role="alert">${found.map((one) => html`<li data-line=${one.line}>
          <b>${t("line", one.line)}</b> ${one.detail} <code>${one.pointer ?? ""}</code></li>`)}</ul>`
        : html`<p class="quiet">${t("editNote")}</p>`}
      ${model && html`<h3>${t("addLayer")}</h3><${AddLayer} ...${{ layers, model, selected, edit, t }} />`}
    </div></div>`;
}
