// Finds a node by a part of its name or kind, and brings it into view.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../core/dom.js";
import { isTyped } from "../core/events/typing.js";
import { kindOf } from "../core/model.js";

/** @import { Model, Place } from "../core/model.js" */

const KEY = "/";

// The places with a text in their name or kind: those whose name begins with it first, then names, then kinds.
/** @param {Model} model @param {string} text @param {Translate} t @returns {Place[]} */
function found(model, text, t) {
  const part = text.trim().toLowerCase();
  const rank = (place) => {
    const at = place.name.toLowerCase().indexOf(part);
    return at === 0 ? 0 : at > 0 ? 1 : kindOf(place, t).toLowerCase().includes(part) ? 2 : 3;
  };
  const ranked = [...model.places.values()].map((place) => ({ place, order: rank(place) }));
  return ranked.filter(({ order }) => order < 3).sort((a, b) => a.order - b.order).map(({ place }) => place);
}

const idOf = (index) => `found-${index}`;

// `choose`: called with the name of a place.
/** @param {{ model: Model, choose: (name: string) => void, t: Translate }} props */
export function Find({ model, choose, t }) {
  const [opened, setOpened] = useState(false);
  const before = useRef(); // what had the focus
  const open = () => {
    before.current = document.activeElement;
    setOpened(true);
  };
  useEffect(() => {
    const press = (event) => {
      if (event.key !== KEY || isTyped(event)) return;
      event.preventDefault(); // Firefox would open its own search
      open();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const take = ({ name }) => {
    setOpened(false);
    choose(name);
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`[data-node="${CSS.escape(name)}"] .ring`))?.focus({ preventScroll: true }));
  };
  return html`<div class="find">
    <button data-find title=${`${t("find")} (${KEY})`} aria-label=${t("find")} aria-expanded=${opened} onMouseDown=${opened && holdFocus}
      onClick=${() => (opened ? setOpened(false) : open())}>⌕</button>
    ${opened && html`<${Finder} close=${() => setOpened(false)} leave=${() => before.current.focus({ preventScroll: true })} ...${{ model, take, t }} />`}
  </div>`;
}

// Keeps the focus in the field: leaving it closes the list, before a click on it counts.
const holdFocus = (event) => event.preventDefault();

// The field and the list of what it finds. `leave`: gives the focus back.
/** @param {{ model: Model, take: (place: Place) => void, close: () => void, leave: () => void, t: Translate }} props */
function Finder({ model, take, close, leave, t }) {
  const [{ text, at }, setSearch] = useState({ text: "", at: 0 }); // `at`: of what is found
  const [field, list] = [useRef(), useRef()];
  useLayoutEffect(() => field.current.focus(), []); // before the next key comes
  useEffect(() => list.current.children[at]?.scrollIntoView({ block: "nearest" }), [text, at]);
  const places = found(model, text, t);
  const press = (event) => {
    if (event.isComposing) return; // Enter and Escape belong to what is composed
    const step = { ArrowDown: 1, ArrowUp: places.length - 1 }[event.key];
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && places.length) take(places[at]);
    else if (step && places.length) setSearch({ text, at: (at + step) % places.length });
    else return;
    event.preventDefault();
  };
  return html`<div class="finder">
    <input type="text" ref=${field} role="combobox" aria-expanded="true" aria-controls="found" aria-autocomplete="list" autocomplete="off" spellcheck=${false}
      aria-label=${t("find")} placeholder=${t("findHint")} aria-activedescendant=${places.length ? idOf(at) : undefined} value=${text}
      onInput=${(event) => setSearch({ text: event.target.value, at: 0 })} onKeyDown=${press} onBlur=${close} />
    <ul id="found" role="listbox" aria-label=${t("find")} ref=${list} hidden=${!places.length}>${places.map((place, index) => html`
      <li id=${idOf(index)} key=${place.name} role="option" aria-selected=${index === at} data-found=${place.name} onMouseDown=${holdFocus} onClick=${() => take(place)}>
        ${place.name} <small>${kindOf(place, t)}</small></li>`)}</ul>
    <p role="status">${places.length ? "" : t("foundNone", text)}</p>
  </div>`;
}
