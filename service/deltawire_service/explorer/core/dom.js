// Binds templates to elements (html`<p>${text}</p>`) and passes on the hooks that components use.
import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

// Writes the text of a key; `known` tells whether there is one.
/** @typedef {((key: string, ...values: any[]) => string) & { known: (key: string) => boolean }} Translate */

export const html = htm.bind(h);
export { render };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";
