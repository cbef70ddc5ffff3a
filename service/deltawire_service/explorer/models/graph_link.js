// Draws the link that opens a version of a model in the explorer's graph.
import { html } from "../core/dom.js";

// `run`: the one whose rows are its data.
/** @param {{ name: string, version: number, run?: string, lang: string, t: Translate, [other: string]: any }} props */
export function GraphLink({ name, version, run, lang, t }) {
  const query = new URLSearchParams({ model: name, version: String(version), ...(run && { run }) });
  const address = `/?${query}${lang === "en" ? "" : `#lang=${lang}`}`;
  return html`<a class="graph-link" href=${address} aria-label=${t("openGraphOf", name, version)}>${t("openGraph")}</a>`;
}
