// Draws the description of a call that failed: what it is about, and below it the sentence of the service, in English.
import { html } from "../core/dom.js";
import { describe } from "./describe.js";

/** @param {{ t: Translate, [other: string]: any }} props */
export function Described({ fault, t }) {
  const text = describe(fault, t);
  if (!fault.detail || !text.endsWith(fault.detail)) return text;
  const about = text.slice(0, -fault.detail.length).replace(/: $/, "");
  return html`${about && html`<span class="subject">${about}</span>`}<span class="detail" lang="en">${fault.detail}</span>`;
}
