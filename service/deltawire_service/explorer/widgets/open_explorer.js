// Draws the link from a frame of another page to the explorer, in the same state.
import { html, useEffect, useState } from "../core/dom.js";

// `address`: returns a promise of {url}.
/** @param {{ address: () => Promise<{ url: string }>, t: Translate }} props */
export function OpenExplorer({ address, t }) {
  const [href, setHref] = useState(location.pathname);
  useEffect(() => {
    let outdated = false;
    address().then(({ url }) => { if (!outdated) setHref(url); });
    return () => { outdated = true; };
  });
  return html`<a data-open-explorer href=${href} target="_blank" rel="noopener">${t("openExplorer")}</a>`;
}
