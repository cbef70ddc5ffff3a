// Draws the form that edits a node's config.
import { html } from "../core/dom.js";
import { Fields } from "../widgets/fields.js";

/** @import { Place } from "../core/model.js" */

/** @param {{ place: Place, t: Translate, [other: string]: any }} props */
export function ConfigForm({ place, edit, t }) {
  const schema = place.layer.config;
  if (!Object.keys(schema.properties ?? {}).length) return html`<p class="quiet">${t("noConfig")}</p>`;
  const change = (config) => edit((document) => {
    document.network.nodes[place.index].config = config;
    return document;
  });
  return html`<div class="fields"><${Fields} translation=${place.layer.translation} schema=${schema} config=${place.config} change=${change} /></div>`;
}
