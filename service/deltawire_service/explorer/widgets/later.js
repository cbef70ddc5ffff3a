// A part of the page that is fetched when it is first looked at.
import { html, useEffect, useState } from "../core/dom.js";

export function later(load) {
  let Part = null;
  return function Later(props) {
    const [, come] = useState(false);
    useEffect(() => { if (!Part) load().then((found) => { Part = found; come(true); }); }, []);
    return Part && html`<${Part} ...${props} />`;
  };
}
