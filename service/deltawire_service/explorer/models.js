// Starts the page of models and runs.
import { html, render } from "./core/dom.js";
import { LANGUAGES, translator } from "./lecture/i18n.js";
import { MODEL_TEXTS } from "./lecture/model_texts.js";
import { ModelsPage } from "./models/page.js";

const element = /** @type {any} */ (document.getElementById("page"));
element.replaceChildren();
render(html`<${ModelsPage} languages=${LANGUAGES} translator=${(lang) => translator(MODEL_TEXTS, lang)} />`, element);
addEventListener("hashchange", () => location.reload());
