// Starts the page of models and runs.
import { html, render } from "./core/dom.js";
import { LANGUAGES, translator } from "./lecture/i18n.js";
import { ModelsPage } from "./models/page.js";

const element = document.getElementById("page");
element.replaceChildren();
render(html`<${ModelsPage} languages=${LANGUAGES} translator=${translator} />`, element);
addEventListener("hashchange", () => location.reload());
