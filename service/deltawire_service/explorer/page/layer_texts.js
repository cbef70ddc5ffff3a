// Keeps the texts of the layers in the language of the page.
import * as api from "../core/api.js";
import { useEffect, useRef, useState } from "../core/dom.js";
import { Failure } from "../core/requests.js";

// `layers`: the Map of the catalogue, in the language that the page began with. Where the service does not answer, texts
// stay in the language that they name, until another is chosen.
/** @param {Map<string, any>} layers @param {string} lang */
export function useLayerTexts(layers, lang) {
  const [, draw] = useState(0);
  const shown = useRef(lang);
  useEffect(() => {
    if (shown.current === lang) return undefined;
    let outdated = false;
    const take = (translated) => {
      if (outdated) return;
      shown.current = lang;
      for (const [kind, layer] of layers) layer.translation = translated.get(kind)?.translation;
      draw((count) => count + 1);
    };
    api.layers(lang).then(take, (error) => { if (!(error instanceof Failure)) throw error; });
    return () => { outdated = true; };
  }, [lang]);
}
