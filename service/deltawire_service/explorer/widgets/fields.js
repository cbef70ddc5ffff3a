// Draws the form fields of a layer's config, from its JSON Schema.
import { html, useState } from "../core/dom.js";

// The first type, where a schema allows several.
const typeOf = (schema) => [schema.type ?? schema.anyOf?.[0]?.type].flat()[0];

// `text`: the description, in the language `lang`.
function Field({ name, schema, text, lang, value, change, required }) {
  const [typed, setTyped] = useState(null); // until it is taken: the page may be drawn anew meanwhile
  const type = typeOf(schema);
  const shown = value ?? schema.default;
  const written = Array.isArray(shown) ? JSON.stringify(shown) : shown ?? "";
  const read = (event) => {
    const { value: text, checked } = event.target;
    if (type === "boolean") change(checked);
    else if (type === "integer" || type === "number") change(text === "" ? undefined : Number(text));
    else if (type === "array") {
      try {
        change(text === "" ? undefined : JSON.parse(text));
        event.target.setCustomValidity("");
      } catch { // not JSON: the browser marks the field
        event.target.setCustomValidity("[…]");
        event.target.reportValidity();
        return;
      }
    } else change(text === "" ? undefined : text);
    setTyped(null);
  };
  const control = schema.enum
    ? html`<select onChange=${read}>${schema.enum.map((one) => html`<option selected=${one === shown}>${one}</option>`)}</select>`
    : type === "boolean" ? html`<input type="checkbox" checked=${shown} onChange=${read} />`
      : html`<input type=${type === "integer" || type === "number" ? "number" : "text"} step=${type === "integer" ? 1 : "any"} required=${required}
          min=${schema.minimum} max=${schema.maximum} value=${typed ?? written} onInput=${(event) => setTyped(event.target.value)} onChange=${read} />`;
  return html`<label class="field"><span>${name}</span>${control}<small lang=${lang}>${text}</small></label>`;
}

const described = (schema, translated, lang) => (translated ? { text: translated, lang } : { text: schema.description ?? "", lang: "en" });

// `translation`: {lang, config}, with the descriptions that are translated, by name; the service's own are English.
export function Fields({ schema, config, change, translation }) {
  const entries = Object.entries(schema.properties ?? {});
  return entries.map(([name, one]) => html`<${Field} key=${name} name=${name} schema=${one} ...${described(one, translation?.config[name], translation?.lang)} value=${config[name]}
    required=${schema.required?.includes(name)} change=${(value) => {
      const { [name]: _, ...others } = config;
      change(value === undefined ? others : { ...others, [name]: value });
    }} />`);
}
