// Draws the page.

// Imports lead one way: core <- widgets <- picture, panel, drawer, lecture <- page.js (tests/service/explorer/test_rooms.py).
import { html, render } from "./core/dom.js";
import { Start } from "./start.js";

const element = /** @type {HTMLElement} */ (document.getElementById("page"));
element.replaceChildren();
render(html`<${Start} />`, element);
