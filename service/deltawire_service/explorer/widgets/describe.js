// Describes a call that failed.
import { html } from "../core/dom.js";

/** @import { Translate } from "../core/dom.js" */

// The service's sentence is English: in another language, what it is about comes first.
/** @param {any} fault @param {Translate} t */
function parts(fault, t) {
  if (t.known(`failed_${fault.code}`)) return { subject: t(`failed_${fault.code}`, fault) };
  const subject = t.known(`code_${fault.code}`) ? t(`code_${fault.code}`) : null;
  return subject || fault.detail ? { subject, detail: fault.detail } : { subject: t("failed_away") };
}

/** @param {any} fault @param {Translate} t */
export function describe(fault, t) {
  const { subject, detail } = parts(fault, t);
  return [subject, detail].filter(Boolean).join(": ");
}

// The same as markup, which names the language of the service's sentence.
/** @param {{ t: Translate, [other: string]: any }} props */
export function Described({ fault, t }) {
  const { subject, detail } = parts(fault, t);
  return html`${subject}${subject && detail && ": "}${detail && html`<span lang="en">${detail}</span>`}`;
}
