// Loads a part of the page when it is first shown.
import { html, useEffect, useState } from "../core/dom.js";

// `load` returns a promise of the component.
export function lazy(load) {
  let Part = null;
  return function Lazy(props) {
    const [, setLoaded] = useState(Boolean(Part));
    useEffect(() => { if (!Part) load().then((component) => { Part = component; setLoaded(true); }); }, []);
    return Part && html`<${Part} ...${props} />`;
  };
}
