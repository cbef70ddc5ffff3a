// Draws the description of a call that failed, and names the language of the service's sentence.
import { html } from "../core/dom.js";
import { describe } from "./describe.js";

/** @param {{ t: Translate, [other: string]: any }} props */
export function Described({ fault, t }) {
  const text = describe(fault, t);
  if (!fault.detail || !text.endsWith(fault.detail)) return text;
  return html`${text.slice(0, -fault.detail.length)}<span lang="en">${fault.detail}</span>`;
}
