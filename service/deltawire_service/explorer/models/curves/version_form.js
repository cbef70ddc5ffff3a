// Tells of one version of a chosen curve, and opens it in the graph.
import { html } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { nearest } from "../../widgets/chart/line.js";
import { GraphLink } from "../graph_link.js";
import { counted } from "../units.js";

// `place`: of the charts, or null for the newest. `earliest`: the first version of the model that can be computed.
export function VersionForm({ curve, place, setPlace, earliest, lang, t }) {
  const index = place === null ? curve.x.length - 1 : nearest(curve.x, place);
  const version = place === null ? curve.newest : Math.min(curve.newest, curve.versionAt(place));
  const exact = index >= 0 && curve.versionAt(curve.x[index]) === version;
  const read = (event) => { if (/^\d+$/.test(event.target.value)) setPlace(curve.placeOf(Number(event.target.value))); };
  return html`<li data-version-of=${curve.label}><b>${curve.label}</b>
    <label>${t("version")} <input type="number" min=${earliest} max=${curve.newest} value=${version} onChange=${read} /></label>
    ${curve.best !== null && html`<button class="link" onClick=${() => setPlace(curve.placeOf(curve.best))}>${t("bestVersion", counted(curve.best))}</button>`}
    ${place !== null && html`<button class="link" onClick=${() => setPlace(null)}>${t("newestVersion", counted(curve.newest))}</button>`}
    ${exact && html`<span>${t("loss")} <b>${curve.loss[index] === null ? "–" : precise(curve.loss[index])}</b></span>
      <span>${t("modelGradientNorm")} <b>${curve.norm[index] === null ? "–" : precise(curve.norm[index])}</b></span>`}
    ${curve.events.filter((one) => one.version === version).map(({ kind }) => html`<span class="quiet">${t(`event_${kind}`)}</span>`)}
    ${version < earliest ? html`<span class="quiet">${t("versionExpired", earliest)}</span>`
      : html`<${GraphLink} name=${curve.model} run=${curve.run?.id} ...${{ version, lang, t }} />`}
  </li>`;
}
