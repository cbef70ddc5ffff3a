// Every number of an array: rows × columns, a page of rows at a time; each with all its digits as its title.
import { html, useState } from "../core/dom.js";
import { precise } from "../core/numbers.js";
import { rowsOf } from "./rows.js";

const MOST = 1024;
const DIGITS = 7;

export function NumberTable({ traced, t }) {
  const [page, turn] = useState(0);
  const whole = Boolean(traced.numbers || traced.numbers === 0);
  const rows = rowsOf(whole ? traced.numbers : traced.sample, whole ? traced.shape : [traced.sample.length]);
  const many = Math.max(1, Math.floor(MOST / rows[0].length));
  const last = Math.ceil(rows.length / many) - 1;
  const first = Math.min(page, last) * many;
  return html`<div class="all-numbers" data-numbers tabindex="0">
    ${!whole && html`<p class="quiet">${t("sampleOf", traced.sample.length, traced.shape.reduce((a, b) => a * b, 1))}</p>`}
    <table>
      <tr><th></th>${rows[0].map((_, column) => html`<th scope="col">${column}</th>`)}</tr>
      ${rows.slice(first, first + many).map((row, i) => html`<tr key=${first + i}><th scope="row">${first + i}</th>
        ${row.map((number) => html`<td title=${String(number)}>${precise(number, DIGITS)}</td>`)}</tr>`)}
    </table>
    ${last > 0 && html`<p><button disabled=${first === 0} onClick=${() => turn(page - 1)}>↑</button>
      ${t("rowsShown", first, Math.min(first + many, rows.length) - 1, rows.length)}
      <button disabled=${page >= last} onClick=${() => turn(page + 1)}>↓</button></p>`}
  </div>`;
}
