// What is wrong with what was asked, beside the picture of the last network that was right.
import { html } from "../core/dom.js";

// The sentence of the service; in other languages what it is about comes first, in theirs.
export const told = (fault, t) => [t.known(`code_${fault.code}`) && t(`code_${fault.code}`), fault.detail].filter(Boolean).join(": ");

export function Refusal({ fault, seen, t }) {
  return html`<p class="refused" role="alert" title=${told(fault, t)}>${seen && html`<b>${t("lastValid")}</b> `}${told(fault, t)}</p>`;
}
