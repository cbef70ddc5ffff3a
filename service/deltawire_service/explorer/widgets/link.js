// Draws the button that copies the page's address, which holds its whole state.
import { html, useState } from "../core/dom.js";

export function Link({ t }) {
  const [copied, setCopied] = useState(false);
  if (!navigator.clipboard) return null; // browsers give none to unencrypted pages of another machine
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<button data-link onClick=${copy}>${t(copied ? "copied" : "link")}</button>`;
}
