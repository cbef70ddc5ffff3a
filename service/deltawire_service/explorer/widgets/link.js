// Draws the button that copies the page's address, which holds its whole state.
import { html, useState } from "../core/dom.js";

// `address`: returns a promise of {url, fits}.
/** @param {{ t: Translate, [other: string]: any }} props */
export function Link({ address, t }) {
  const [said, say] = useState("link");
  if (!navigator.clipboard) return null; // browsers give none to unencrypted pages of another machine
  const copy = async () => {
    const { url, fits } = await address();
    let now = "linkLong";
    if (fits) now = await navigator.clipboard.writeText(url).then(() => "copied", () => "notCopied");
    say(now);
    setTimeout(() => say("link"), now === "copied" ? 2000 : 6000);
  };
  return html`<button data-link aria-live="polite" onClick=${copy}>${t(said)}</button>`;
}
