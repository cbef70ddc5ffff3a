// Writes the numbers of the chosen curves as a table, for those who cannot see the charts or want to copy them.
import { html, useState } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { nearest } from "../../widgets/chart/line.js";
import { counted } from "../units.js";

const ROWS = 24; // places that are written

// Returns some places of a curve, evenly spaced, with the last one: those that were validated where there are any.
function placesOf({ x, validation }) {
  const all = validation.x.length ? validation.x : x;
  const most = Math.min(ROWS, all.length);
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / Math.max(1, most - 1))]);
}

const numberAt = (x, y, place) => {
  const index = nearest(x, place);
  return index >= 0 && x[index] === place && y[index] !== null ? precise(y[index]) : "";
};

const columnsOf = (curve, t) => [[t("loss"), curve.x, curve.loss], [t("modelGradientNorm"), curve.x, curve.norm],
  ...(curve.validation.x.length ? [[t("validation"), curve.validation.x, curve.validation.y]] : [])];

export function CurveTable({ curves, t }) {
  const [open, setOpen] = useState(false);
  return html`<details class="numbers" onToggle=${(event) => setOpen(event.target.open)}><summary>${t("asTable")}</summary>
    <div class="tables">${open && curves.map((curve) => html`<div class="scrolled" tabindex="0" role="region" aria-label=${t("tableOf", curve.label)}>
      <table><caption>${t("tableOf", curve.label)}</caption>
        <thead><tr><th scope="col">${t(curve.counts)}</th>${columnsOf(curve, t).map(([title]) => html`<th scope="col">${title}</th>`)}</tr></thead>
        <tbody>${placesOf(curve).map((place) => html`<tr key=${place}><th scope="row">${counted(place)}</th>
          ${columnsOf(curve, t).map(([, x, y]) => html`<td>${numberAt(x, y, place)}</td>`)}</tr>`)}</tbody>
      </table></div>`)}</div>
  </details>`;
}
