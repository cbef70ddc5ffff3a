// Draws the chosen curves: their names, the switches, the charts, a table of the numbers, and the way to each version.
import { html, useState } from "../../core/dom.js";
import { needsLog } from "../../widgets/chart/scale.js";
import { RunReason, RunSentences, RunState } from "../run_status.js";
import { Charts } from "./charts.js";
import { CurveTable } from "./curve_table.js";
import { VersionForm } from "./version_form.js";

// `curves`: [[curve, tone, key]]. `log`: null where the numbers decide. `lengthen`: has the curve with a key begin earlier.
// `earliestOf`: the first version of a model that can be computed.
export function Drawn({ curves, log, setLog, lengthen, earliestOf, lang, t }) {
  const [smooth, setSmooth] = useState(true);
  const [apart, setApart] = useState(false);
  const [place, setPlace] = useState(null);
  const logged = log ?? needsLog(curves.flatMap(([{ loss, validation }]) => [loss, validation.y]));
  const several = curves.length > 1;
  const labels = curves.map(([curve]) => curve.label).join(", ");
  const run = several ? null : curves[0][0].run;
  return html`<h2>${labels}</h2>
    ${run && html`<p class="quiet status"><${RunState} ...${{ run, t }} /><${RunSentences} ...${{ run, t }} /></p><${RunReason} ...${{ run, t }} />`}
    <p class="controls"><label><input type="checkbox" checked=${logged} onChange=${() => setLog(!logged)} /> ${t("logScale")}</label>
      <label><input type="checkbox" checked=${smooth} onChange=${() => setSmooth(!smooth)} /> ${t("smooth")}</label>
      ${several && html`<label><input type="checkbox" checked=${apart} onChange=${() => setApart(!apart)} /> ${t("sideBySide")}</label>`}
      ${curves.filter(([curve]) => curve.cut).map(([curve, , key]) => html`<button onClick=${() => lengthen(key)}>
        ${t("longer", curve.label, curve.first)}</button>`)}</p>
    ${curves.every(([curve]) => curve.x.length === 0 && !curve.more) && html`<p class="quiet">${t("noSteps")}</p>`}
    <${Charts} chosen=${place} choose=${setPlace} log=${logged} apart=${apart && several} ...${{ curves, smooth, t }} />
    <p class="quiet">${t("chooseVersion")}</p>
    <ul class="versions">${curves.map(([curve, , key]) => html`<${VersionForm} key=${key}
      earliest=${earliestOf(curve.model)} ...${{ curve, place, setPlace, lang, t }} />`)}</ul>
    <${CurveTable} curves=${curves.map(([curve]) => curve)} t=${t} />`;
}
