// Starts the page: loads the catalogue of layers, reads the address and draws.

// Imports lead one way: core <- widgets <- picture, panel, drawer, lecture <- page.js (tests/service/explorer/test_rooms.py).
import * as api from "./core/api.js";
import { html, render } from "./core/dom.js";
import { fromAddress } from "./core/state.js";
import { Page } from "./page.js";

const [layers, initial] = await Promise.all([api.layers(), fromAddress(location.search, location.hash)]);
const element = document.getElementById("page");
element.replaceChildren();
render(html`<${Page} layers=${layers} initial=${initial} />`, element);
addEventListener("hashchange", () => location.reload());
