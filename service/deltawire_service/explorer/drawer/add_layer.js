// Draws the form that adds a node behind another one.
import { html, useState } from "../core/dom.js";
import { spelledOut } from "../core/session.js";
import { Fields } from "../widgets/fields.js";
import { LayerSummary } from "../widgets/layer_summary.js";

/** @import { Model } from "../core/model.js" */

// The consumers of the other node take the new node's value instead.
/** @param {{ model: Model, t: Translate, [other: string]: any }} props */
export function AddLayer({ layers, model, selected, edit, t }) {
  const [kind, setKind] = useState("");
  const [config, setConfig] = useState({});
  const layer = layers.get(kind);
  const source = model.places.get(selected)?.name ?? [...model.places.keys()][0];
  const add = (event) => {
    event.preventDefault();
    const inputs = layer.inputs.names.map((_, i) => (i ? [...model.places.keys()][Math.min(i, model.places.size - 1)] : source));
    let number = 1;
    while (model.places.has(`${kind}${number}`)) number += 1;
    const name = `${kind}${number}`;
    edit((document) => {
      const nodes = spelledOut(document.network, model);
      for (const node of nodes) node.inputs = node.inputs.map((input) => (input === source ? name : input));
      const after = nodes.findIndex((node) => node.name === source);
      nodes.splice(after + 1, 0, { name, kind, inputs, ...(Object.keys(config).length ? { config } : {}) });
      const { loss } = document.network;
      return { ...document, network: { ...document.network, nodes, ...(loss === source ? { loss: name } : {}) } };
    });
  };
  return html`<form class="add" onSubmit=${add}>
    <div class="row"><select aria-label=${t("kind")} value=${kind} onChange=${(event) => { setKind(event.target.value); setConfig({}); }}>
      <option value="">${t("kind")} …</option>${[...layers.keys()].map((one) => html`<option value=${one}>${one}</option>`)}</select>
      <button disabled=${!layer} class="main">${t("addBehind", source)}</button></div>
    ${layer && html`<${Fields} key=${kind} translation=${layer.translation} schema=${layer.config} config=${config} change=${setConfig} />
      <p class="about"><${LayerSummary} layer=${layer} /><br /><small>${layer.distribution}</small></p>`}</form>`;
}
