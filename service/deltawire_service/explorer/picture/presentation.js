// Shows the picture alone and large, for a projector.
import { html, useEffect, useState } from "../core/dom.js";
import { isTyped } from "../core/events/typing.js";

const KEY = "p";

export const LARGE = 1.5; // times as large a type, for those far away

// Returns whether the picture is presented, and what changes that; the key does too, and Escape ends it.
export function usePresentation() {
  const [presented, present] = useState(false);
  useEffect(() => {
    const press = (event) => {
      if (isTyped(event)) return;
      if (event.key.toLowerCase() === KEY) present((old) => !old);
      if (event.key === "Escape") present(false);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return [presented, present];
}

/** @param {{ t: Translate, [other: string]: any }} props */
export function PresentButton({ presented, present, t }) {
  return html`<button data-present aria-pressed=${presented} title=${`${t("present")} (P)`} onClick=${() => present(!presented)}>${t(presented ? "presentEnd" : "present")}</button>`;
}
