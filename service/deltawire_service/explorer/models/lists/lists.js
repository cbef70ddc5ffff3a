// Draws the lists of the page: the runs that have not ended, those that have, and the models.
import { html } from "../../core/dom.js";
import { List, Pages } from "./list.js";
import { ModelRow } from "./model_row.js";
import { RunRow } from "./run_row.js";

// `watch`: has the lists. `search`: called with a part of the names to list. `turn`: shows another page of a listing.
export function Lists({ watch, search, turn, t, ...rest }) {
  const { open, ended, models, search: text } = watch;
  const empty = !text && [models.rows, open, ended.rows].every((rows) => !rows?.length);
  return html`<section class="lists" aria-label=${t("modelsSubtitle")}>
    ${!empty && html`<input type="search" aria-label=${t("findByName")} placeholder=${t("findByName")} value=${text} onInput=${(event) => search(event.target.value)} />`}
    ${open && !empty && html`<${Runs} ...${{ watch, turn, t, ...rest }} />`}
    <${List} title=${t("modelsTitle")} rows=${models.rows} keyOf=${models.keyOf} Row=${ModelRow} all=${models.alone}
      none=${text ? t("noneFound", text) : t("noModels")} ...${{ t, ...rest }}><${Pages} listing=${models} ...${{ turn, t }} /><//>
    ${empty && html`<${FirstSteps} text=${t("startFit")} command="deltawire fit table.csv --target y" />`}
  </section>`;
}

function Runs({ watch: { open, ended, models, search, idle }, turn, t, ...rest }) {
  if (!search && open.length === 0 && ended.alone && ended.rows.length === 0) {
    return html`<section class="list" aria-label=${t("runsTitle")}><h2>${t("runsTitle")}</h2>
      <${FirstSteps} text=${t("noRuns")} command=${`deltawire train ${models.rows[0]?.name} --data table.csv`} /></section>`;
  }
  const shown = open.filter((run) => run.model.toLowerCase().includes(search.toLowerCase()));
  const none = (text) => (search ? t("noneFound", search) : t(text));
  return html`<${List} title=${t("openTitle")} rows=${shown} none=${none("noOpenRuns")} all ...${{ keyOf: ended.keyOf, Row: RunRow, t, ...rest }}>
      ${idle && html`<p class="warning">${t("noTrainer")}</p>`}<//>
    <${List} title=${t("endedTitle")} rows=${ended.rows} none=${none("noEndedRuns")} all=${ended.alone} ...${{ keyOf: ended.keyOf, Row: RunRow, t, ...rest }}>
      <${Pages} listing=${ended} ...${{ turn, t }} /><//>`;
}

// A command for this service, for those who have nothing to see yet.
const FirstSteps = ({ text, command }) => html`<p class="quiet">${text}</p><pre tabindex="0">${command} --url ${location.origin}</pre>`;
