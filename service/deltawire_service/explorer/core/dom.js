// Binds templates to elements (html`<p>${text}</p>`), passes on the hooks that components use, and tells keys from typing.
import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
export { render };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";

// Tells whether a key is typed into a field, or is one of the browser's own: then it is none of the page's.
export const isTyped = (event) => isInField(event) || event.ctrlKey || event.metaKey || event.altKey;

export const isInField = ({ target }) => target instanceof Element && Boolean(target.closest("input, textarea, select"));
