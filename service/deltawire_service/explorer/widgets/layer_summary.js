// Writes what a layer computes, in the language of the page where its distribution has translated it.
import { html } from "../core/dom.js";

export function LayerSummary({ layer: { summary, translation } }) {
  return translation?.summary ? html`<span lang=${translation.lang}>${translation.summary}</span>` : html`<span lang="en">${summary}</span>`;
}
