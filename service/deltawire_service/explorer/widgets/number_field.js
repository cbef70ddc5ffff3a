// Draws a field for one number, which says beside it why what is typed is none that can be taken.
import { html, useEffect, useState } from "../core/dom.js";

// `value`: the number, null where the text is refused. `refuse`: returns why a number cannot be taken, or null.
// `change`: called with the number, or null. `name`: of the data attribute that tests find the field by.
export function NumberField({ label, name, value, refuse, change, ...attributes }) {
  const [text, setText] = useState(String(value));
  useEffect(() => { if (value !== null && Number(text) !== value) setText(String(value)); }, [value]);
  const why = (typed) => refuse(typed.trim() === "" ? NaN : Number(typed));
  const type = ({ target }) => {
    setText(target.value);
    change(why(target.value) === null ? Number(target.value) : null);
  };
  const refused = why(text);
  return html`<label class=${refused === null ? "" : "wrong"}>${label}
    <input type="text" inputmode="decimal" value=${text} onInput=${type} aria-invalid=${refused !== null} ...${{ [`data-${name}`]: "", ...attributes }} />
    ${refused !== null && html` <small role="alert">${refused}</small>`}</label>`;
}
