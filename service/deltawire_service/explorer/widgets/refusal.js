// Draws a call that failed beside the picture of the last network that could be computed.
import { html } from "../core/dom.js";
import { describe } from "./describe.js";
import { Described } from "./described.js";

/** @import { Failure } from "../core/requests.js" */

// `failure`: as useRecovery returns it. `drawn`: a network that was computed is in the picture. `dismiss`: shows it again.
/** @param {{ failure: { error: Failure, seconds?: number | null, again?: (() => void) | null }, t: Translate, [other: string]: any }} props */
export function Refusal({ failure: { error, seconds, again }, drawn, dismiss, t }) {
  const text = describe(error.faults[0], t);
  const repeatable = again && (error.passing || (error.problem.status ?? 0) >= 500); // what is refused once is refused again
  return html`<div class="refused" role="alert" title=${text}><p>${drawn && html`<b>${t(error.passing ? "asBefore" : "lastValid")}</b> `}<${Described} fault=${error.faults[0]} t=${t} />${seconds && ` ${t("nextTry", seconds)}`}</p>
    ${repeatable && html`<button data-again onClick=${again}>${t("tryNow")}</button>`}
    ${dismiss && html`<button data-dismiss title=${t("dismiss")} aria-label=${t("dismiss")} onClick=${dismiss}>✕</button>`}</div>`;
}
