// Edits the request as text, and marks the line of each fault that the service finds.
import { html, useRef } from "../core/dom.js";
import { refusedTexts } from "../core/kept.js";
import { Described } from "../widgets/described.js";
import { AddLayer } from "./add_layer.js";
import { useDraft } from "./draft.js";
import { lineOf } from "./pointers.js";
import { useTabKey } from "./tab_key.js";

/** @import { Model } from "../core/model.js" */

// `draft`, `apply`, `fail`: see useDraft. `look`: opens the list of kept texts.
/** @param {{ model: Model, t: Translate, [other: string]: any }} props */
export function Editor({ document, draft, apply, fail, failure, layers, model, selected, edit, look, t }) {
  const { text, room, change } = useDraft({ document, draft, apply, fail, failed: Boolean(failure) });
  const keys = useTabKey(change);
  const numbers = useRef();
  const typed = draft.current.text === text; // else what failed is not this text
  const others = refusedTexts().filter((one) => one.id !== draft.current.id);
  const listed = (failure?.error.faults ?? []).map((fault) => ({ ...fault, line: typed ? fault.line ?? lineIn(text, fault.pointer) : null }));
  const lines = new Set(listed.map((one) => one.line));
  const count = text.split("\n").length;
  return html`<div class="editor">
    <div class="lines" aria-hidden="true"><pre ref=${numbers}>${Array.from({ length: count }, (_, i) =>
      html`<span class=${lines.has(i + 1) ? "wrong" : ""}>${i + 1}\n</span>`)}</pre></div>
    <textarea spellcheck="false" aria-label=${t("edit")} aria-describedby="edit-keys" value=${text} wrap="off" ...${keys} onInput=${(event) => change(event.target.value)}
      onScroll=${(event) => { numbers.current.style.transform = `translateY(${-event.target.scrollTop}px)`; }}></textarea></div>
    <div class="beside">
      <p class="quiet" id="edit-keys">${t("editKeys")}</p>
      ${listed.length ? html`<div role="alert"><ul class="faults">${listed.map((one) => html`<li data-line=${one.line}>
          ${one.line && html`<b>${t("line", one.line)}</b> `}<${Described} fault=${one} t=${t} /> <code>${one.pointer ?? ""}</code></li>`)}</ul></div>`
        : html`<p class="quiet">${t("editNote")}</p>`}
      ${!room && html`<p class="warning" role="status" data-no-room>${t("keptFull")}</p>`}
      ${others.length > 0 && html`<p class="quiet" data-others>${t("refusedKept", others.length)} <button class="link" onClick=${() => look()}>${t("tab_kept")}</button></p>`}
      ${model && html`<h2>${t("addLayer")}</h2><${AddLayer} ...${{ layers, model, selected, edit, t }} />`}
    </div>`;
}

// The line of a fault; 1 where the text has been changed since, and is not JSON.
function lineIn(text, pointer) {
  try { JSON.parse(text); } catch { return 1; } // not JSON
  return lineOf(text, pointer);
}
