// Opens the panel over the picture, where a screen is too narrow for both.
import { useState } from "../core/dom.js";

// `aside`: a ref to the panel. Returns {over, raise, open, close}: `open` moves the focus too, and `close` gives it to the button
// that opens the panel again.
export function useSheet(aside) {
  const [over, setOver] = useState(false);
  const raise = () => setOver(true);
  return {
    over, raise,
    open: () => { raise(); aside.current.focus(); },
    close: () => {
      setOver(false);
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("[data-open-panel]"))?.focus());
    },
  };
}
