// Draws every number of an array as a table, a page of rows at a time.
import { sizeOf } from "../core/arrays.js";
import { html, useState } from "../core/dom.js";
import { precise } from "../core/numbers.js";
import { rowsOf } from "./grid.js";

/** @import { Traced } from "../core/arrays.js" */

const MOST = 1024; // numbers on a page
const DIGITS = 7; // of a number; its title has them all

/** @param {{ traced: Traced, t: Translate, [other: string]: any }} props */
export function NumberTable({ traced, t }) {
  const [page, setPage] = useState(0);
  const whole = Boolean(traced.numbers || traced.numbers === 0);
  const { sample = [] } = traced;
  const rows = rowsOf(whole ? traced.numbers : sample, whole ? traced.shape : [sample.length]);
  const perPage = Math.max(1, Math.floor(MOST / rows[0].length));
  const last = Math.ceil(rows.length / perPage) - 1;
  const first = Math.min(page, last) * perPage;
  return html`<div class="all-numbers" data-numbers tabindex="0">
    ${!whole && html`<p class="quiet">${t("sampleOf", sample.length, sizeOf(traced.shape))}</p>`}
    <table>
      <tr><th scope="col">#</th>${rows[0].map((_, column) => html`<th scope="col">${column}</th>`)}</tr>
      ${rows.slice(first, first + perPage).map((row, i) => html`<tr key=${first + i}><th scope="row">${first + i}</th>
        ${row.map((number) => html`<td title=${String(number)}>${precise(number, DIGITS)}</td>`)}</tr>`)}
    </table>
    ${last > 0 && html`<p><button disabled=${first === 0} onClick=${() => setPage(page - 1)}>↑</button>
      ${t("rowsShown", first, Math.min(first + perPage, rows.length) - 1, rows.length)}
      <button disabled=${page >= last} onClick=${() => setPage(page + 1)}>↓</button></p>`}
  </div>`;
}
