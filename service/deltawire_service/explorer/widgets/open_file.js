// Draws the button that chooses a file.
import { html, useRef } from "../core/dom.js";

// `take`: called with a list of the file that was chosen. `accept`: the kinds of files.
/** @param {{ take: (files: File[]) => void, accept: string, t: Translate }} props */
export function OpenFile({ take, accept, t }) {
  const input = useRef();
  const chosen = ({ target }) => {
    const files = [...target.files];
    target.value = ""; // the same file can be chosen again
    if (files.length) take(files);
  };
  return html`<button data-open-file onClick=${() => input.current.click()}>${t("openFile")}</button>
    <input type="file" hidden ref=${input} accept=${accept} onChange=${chosen} />`;
}
