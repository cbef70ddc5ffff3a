// Edits the request as text, and marks the line of each fault that the service finds.
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { lossIn } from "../core/files/losses.js";
import { dropRefused, keepRefused, newId, refusedTexts } from "../core/kept.js";
import { Described } from "../widgets/described.js";
import { AddLayer } from "./add_layer.js";
import { lineOf, lineOfError, written } from "./pointers.js";

/** @import { Model } from "../core/model.js" */

const PAUSE = 250; // milliseconds without typing, before the text is tried

// `draft`: a ref to {document, text, id, opened}: a text that was typed, the document that it would have replaced, and the id
// under which it is kept until it is accepted; `opened` where it is one of those and has not been tried yet.
// `look`: opens the list of kept texts. `apply`: called with a document that was typed, and what to call once it is
// accepted. `fail`: called with the fault of a text that is not JSON.
/** @param {{ model: Model, t: Translate, [other: string]: any }} props */
export function Editor({ document, draft, apply, fail, failure, layers, model, selected, edit, look, t }) {
  const [text, setText] = useState(draft.current.document === document && (failure || draft.current.opened) ? draft.current.text : written(document));
  const [room, setRoom] = useState(true);
  const numbers = useRef();
  const timer = useRef();
  const latest = useRef();
  latest.current = apply; // called when the pause ends, by a page that may have changed
  const shown = useRef(document);
  useEffect(() => {
    if (shown.current !== document && !same(text, document)) {
      setText(written(document));
      draft.current = {}; // it stays among the refused texts
    }
    shown.current = document;
  }, [document]);
  useEffect(() => {
    if (draft.current.text !== text) draft.current = {}; // what is typed now is another text, beside that one
    else if (draft.current.opened) change(text);
    return () => clearTimeout(timer.current);
  }, []);
  const change = (now) => {
    setText(now);
    const id = draft.current.document === document ? draft.current.id : newId();
    draft.current = { document, text: now, id };
    setRoom(keepRefused(id, now));
    clearTimeout(timer.current);
    try {
      const parsed = JSON.parse(now);
      const loss = lossIn(now);
      if (loss) return fail({ ...loss, line: lineOf(now, loss.pointer) });
      timer.current = setTimeout(() => latest.current(parsed, () => dropRefused(id, now)), PAUSE);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      fail({ line: lineOfError(now, error), pointer: "", code: "json_invalid", detail: error.message });
    }
    return undefined;
  };
  const leaving = useRef(false); // Escape came: Tab goes on to what is next
  const press = (event) => {
    const { target, key, shiftKey } = event;
    if (key === "Tab" && !shiftKey && !leaving.current) {
      event.preventDefault();
      target.setRangeText("  ", target.selectionStart, target.selectionEnd, "end");
      change(target.value);
    } else if (key !== "Tab" && key !== "Shift") leaving.current = key === "Escape";
  };
  const typed = draft.current.text === text; // else what failed is not this text
  const others = refusedTexts().filter((one) => one.id !== draft.current.id);
  const listed = (failure?.error.faults ?? []).map((fault) => ({ ...fault, line: typed ? fault.line ?? lineIn(text, fault.pointer) : null }));
  const lines = new Set(listed.map((one) => one.line));
  const count = text.split("\n").length;
  return html`<div class="editor">
    <div class="lines" aria-hidden="true"><pre ref=${numbers}>${Array.from({ length: count }, (_, i) =>
      html`<span class=${lines.has(i + 1) ? "wrong" : ""}>${i + 1}\n</span>`)}</pre></div>
    <textarea spellcheck="false" aria-label=${t("edit")} aria-describedby="edit-keys" value=${text} wrap="off" onKeyDown=${press} onBlur=${() => { leaving.current = false; }} onInput=${(event) => change(event.target.value)}
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

// Tells whether a text is this document, however it is spaced: then it stays as it was typed.
function same(text, document) {
  try { return JSON.stringify(JSON.parse(text)) === JSON.stringify(document); } catch { return false; } // not JSON
}

// The line of a fault; 1 where the text has been changed since, and is not JSON.
function lineIn(text, pointer) {
  try { JSON.parse(text); } catch { return 1; } // not JSON
  return lineOf(text, pointer);
}
