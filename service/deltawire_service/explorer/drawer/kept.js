// Lists the visitor's own networks: keeps, opens, exports, imports and deletes them.
import { html, useState } from "../core/dom.js";
import { FILES, networkIn } from "../core/files/network.js";
import { draft, drop, dropRefused, keep, keepRefused, refusedTexts, titleOf } from "../core/kept.js";
import { Failure } from "../core/requests.js";
import { Described } from "../widgets/described.js";
import { written } from "./pointers.js";

const SHOWN = 70; // letters of a refused text

// `kept`: the networks, `reread` takes what they are now. `open`: called with a document. `openText`: called with a refused text.
/** @param {{ t: Translate, [other: string]: any }} props */
export function Kept({ kept, reread, document, open, openText, t }) {
  const [title, setTitle] = useState("");
  const [deleted, setDeleted] = useState(null);
  const [dropped, setDropped] = useState(null); // a refused text
  const [said, say] = useState(null); // {text, wrong}
  const last = draft();
  const store = (name, one) => {
    const stored = keep(name, one);
    say(stored === null ? { wrong: true, text: t("keptFull") } : { text: t("keptAs", stored) });
    reread();
    return stored !== null;
  };
  const submit = (event) => {
    event.preventDefault();
    if (store(title.trim() || t("keptUntitled"), document)) setTitle("");
  };
  const remove = (one) => { drop(one.title); setDeleted(one); say(null); reread(); };
  const putBack = () => { if (store(deleted.title, deleted.document)) setDeleted(null); };
  const take = async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try {
      const read = await networkIn(file);
      if (store(file.name.replace(/\.(json|safetensors)$/i, ""), read)) open(read);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say({ wrong: true, text: html`<${Described} fault=${error.faults[0]} t=${t} />` });
    }
  };
  const current = titleOf(document, kept);
  const refused = refusedTexts();
  const discard = (one) => { dropRefused(one.id, one.text); setDropped(one); say(null); };
  const restore = () => { if (keepRefused(dropped.id, dropped.text)) setDropped(null); else say({ wrong: true, text: t("keptFull") }); };
  return html`<div class="kept">
    <form class="controls" onSubmit=${submit}>
      <input type="text" data-keep-title maxlength="60" aria-label=${t("keptTitle")} placeholder=${t("keptTitle")} value=${title} onInput=${(event) => setTitle(event.target.value)} />
      <button class="main" data-keep>${t("keep")}</button>
      <button type="button" data-export onClick=${() => save(document, current ?? title)}>${t("export")}</button>
      <label>${t("importFile")} <input type="file" data-take accept=${FILES} onChange=${take} /></label></form>
    ${said && html`<p class=${said.wrong ? "warning" : "taken"} role="status" data-kept-said>${said.text}</p>`}
    ${deleted && html`<p role="status">${t("keptDeleted", deleted.title)} <button data-put-back onClick=${putBack}>${t("putBack")}</button></p>`}
    ${!kept.length && html`<p class="quiet">${t("keptNone")}</p>`}
    <ul>${kept.map((one) => html`<li key=${one.title} data-kept=${one.title} class=${one.title === current ? "on" : ""}>
        <button class="link" data-open onClick=${() => open(one.document)}>${one.title}</button>
        <button onClick=${() => save(one.document, one.title)} aria-label=${`${t("export")}: ${one.title}`}>${t("export")}</button>
        <button data-delete onClick=${() => remove(one)} aria-label=${`${t("delete")}: ${one.title}`}>${t("delete")}</button></li>`)}
      ${last && !titleOf(last, kept) && html`<li data-draft><button class="link" data-open onClick=${() => open(last)}>${t("draft")}</button> <small>${t("draftNote")}</small></li>`}</ul>
    ${(refused.length > 0 || dropped) && html`<h2>${t("refusedTitle")}</h2><p class="quiet">${t("refusedNote")}</p>`}
    ${dropped && html`<p role="status">${t("refusedDeleted")} <button data-restore onClick=${restore}>${t("putBack")}</button></p>`}
    ${refused.length > 0 && html`<ul>${refused.map((one) => html`<li key=${one.id} data-refused-text=${one.id}>
      <button class="link" data-open onClick=${() => openText(one)}>${beginning(one.text)}</button>
      <button onClick=${() => saveText(one.text, "refused")} aria-label=${`${t("export")}: ${beginning(one.text)}`}>${t("export")}</button>
      <button data-delete onClick=${() => discard(one)} aria-label=${`${t("delete")}: ${beginning(one.text)}`}>${t("delete")}</button></li>`)}</ul>`}
  </div>`;
}

// What a refused text is listed by: its first letters, in one line.
const beginning = (text) => { const line = text.replace(/\s+/g, " ").trim(); return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line || "…"; };

const save = (document, title) => saveText(written(document), title);

function saveText(text, title) {
  const link = globalThis.document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${title || "network"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
