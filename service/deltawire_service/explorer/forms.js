// Forms made from a layer's JSON Schema: of a node's config, and of a node to be added.
import { html, useState } from "./dom.js";

const typeOf = (schema) => [schema.type ?? schema.anyOf?.[0]?.type].flat()[0];

function Field({ name, schema, value, change, required }) {
  const type = typeOf(schema);
  const shown = value ?? schema.default;
  const read = (event) => {
    const { value: text, checked } = event.target;
    if (type === "boolean") change(checked);
    else if (type === "integer" || type === "number") change(text === "" ? undefined : Number(text));
    else if (type === "array") {
      try {
        change(text === "" ? undefined : JSON.parse(text));
        event.target.setCustomValidity("");
      } catch {
        event.target.setCustomValidity("[…]");
        event.target.reportValidity();
      }
    }
    else change(text === "" ? undefined : text);
  };
  const control = schema.enum
    ? html`<select onChange=${read}>${schema.enum.map((one) => html`<option selected=${one === shown}>${one}</option>`)}</select>`
    : type === "boolean" ? html`<input type="checkbox" checked=${shown} onChange=${read} />`
      : html`<input type=${type === "integer" || type === "number" ? "number" : "text"} step=${type === "integer" ? 1 : "any"} required=${required}
          min=${schema.minimum} max=${schema.maximum} value=${Array.isArray(shown) ? JSON.stringify(shown) : shown ?? ""} onChange=${read} />`;
  return html`<label class="field"><span>${name}</span>${control}<small>${schema.description ?? ""}</small></label>`;
}

function Fields({ schema, config, change }) {
  const entries = Object.entries(schema.properties ?? {});
  return entries.map(([name, one]) => html`<${Field} key=${name} name=${name} schema=${one} value=${config[name]}
    required=${schema.required?.includes(name)} change=${(value) => {
      const { [name]: _, ...rest } = config;
      change(value === undefined ? rest : { ...rest, [name]: value });
    }} />`);
}

export function ConfigForm({ place, edit, t }) {
  const schema = place.layer.config;
  if (!Object.keys(schema.properties ?? {}).length) return html`<p class="quiet">${t("noConfig")}</p>`;
  const change = (config) => edit((document) => {
    document.network.nodes[place.place].config = config;
    return document;
  });
  return html`<div class="fields"><${Fields} schema=${schema} config=${place.config} change=${change} /></div>`;
}

// A new node behind another one; what took that one's value takes the new node's instead.
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
      const nodes = document.network.nodes.map((node) => named(node, document, model));
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
    ${layer && html`<${Fields} schema=${layer.config} config=${config} change=${setConfig} />
      <p class="about">${layer.summary}<br /><small>${layer.distribution}</small></p>`}</form>`;
}

// With the name and inputs the service filled in, so that a node put before it changes nothing else.
function named(node, document, model) {
  const place = document.network.nodes.indexOf(node);
  const found = [...model.places.values()].find((one) => one.kind && one.place === place);
  return { ...node, name: found.name, inputs: [...found.inputs] };
}
