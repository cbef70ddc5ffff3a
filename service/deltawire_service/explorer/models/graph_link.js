// Draws the link that opens a version of a model in the explorer's graph.
import { html } from "../core/dom.js";

export function GraphLink({ name, version, lang, t }) {
  const address = `/?${new URLSearchParams({ model: name, version })}${lang === "en" ? "" : `#lang=${lang}`}`;
  return html`<a class="graph-link" href=${address} aria-label=${t("openGraphOf", name, version)}>${t("openGraph")}</a>`;
}
