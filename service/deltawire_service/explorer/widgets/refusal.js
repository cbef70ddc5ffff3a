// Describes what the service refuses, and draws it beside the picture of the last valid network.
import { html } from "../core/dom.js";

// The service's sentence is English: in another language, what it is about comes first.
export const describe = (fault, t) =>
  [t.known(`code_${fault.code}`) && t(`code_${fault.code}`), fault.detail].filter(Boolean).join(": ");

// `drawn`: a valid network is in the picture.
export function Refusal({ fault, drawn, t }) {
  const text = describe(fault, t);
  return html`<p class="refused" role="alert" title=${text}>${drawn && html`<b>${t("lastValid")}</b> `}${text}</p>`;
}
