// Takes a whole batch from a file or from pasted text.
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { Described } from "../widgets/described.js";
import { columnsOf, readBatch, Unreadable } from "./batch_reader.js";

// `take`: called with the data that was read; returns a promise of why they are not taken, a Failure or null.
/** @param {{ t: Translate, [other: string]: any }} props */
export function Batch({ inputs, take, t }) {
  const [outcome, setOutcome] = useState(null);
  const note = useRef();
  useEffect(() => note.current?.scrollIntoView({ block: "nearest" }), [outcome]);
  const newest = useRef(0);
  const read = async (text, file) => {
    const mine = newest.current += 1;
    const wrong = (why) => setOutcome({ wrong: true, text: [file && `${file}: `, why] });
    try {
      const data = readBatch(text, inputs);
      setOutcome(null);
      const failure = await take(data);
      if (mine !== newest.current) return;
      if (failure) wrong(html`<${Described} fault=${failure.faults[0]} t=${t} />`);
      else setOutcome({ text: t("batchRead", Object.values(data)[0]?.length ?? 0, file) });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      wrong(t(error.message, ...error.values));
    }
  };
  const columns = columnsOf(inputs);
  const shown = columns.length > 8 ? [...columns.slice(0, 6), "…", columns.at(-1)] : columns;
  return html`<details class="batch"><summary>${t("batch")}</summary>
    ${outcome && html`<p ref=${note} class=${outcome.wrong ? "warning" : "taken"} role="status" data-batch=${outcome.wrong ? "wrong" : "read"}>${outcome.text}</p>`}
    <p class="quiet">${t("batchNote")} <code>${shown.join(",")}</code></p>
    <textarea rows="3" spellcheck="false" data-paste aria-label=${t("paste")} placeholder=${t("paste")}
      onInput=${(event) => read(event.target.value)}></textarea>
    <label>${t("upload")} <input type="file" data-upload accept=".csv,.tsv,.txt,.json,text/csv,application/json"
      onChange=${async (event) => { const [file] = event.target.files; if (file) read(await file.text(), file.name); event.target.value = ""; }} /></label>
  </details>`;
}
