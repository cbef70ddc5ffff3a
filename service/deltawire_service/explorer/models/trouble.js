// Says that the service does not answer, what it refuses, and since when nothing new has come.
import { html } from "../core/dom.js";
import { Described } from "../widgets/described.js";

// `trouble`: {error, seconds} or null, as polling.js tells. `updated`: the time that the page is of.
export function Trouble({ trouble, updated, now, lang, t }) {
  if (!trouble) return html`<div class="trouble" role="status"></div>`;
  const { error: { problem }, seconds } = trouble;
  const locked = seconds === null;
  return html`<div class="trouble" role="status"><p class="warning">
    ${locked ? t("keyNeeded") : html`<${Described} fault=${problem} t=${t} />`} ${[updated && t("asOf", updated.toLocaleTimeString(lang)), !locked && t("nextTry", seconds)].filter(Boolean).join(" ")}
    <button onClick=${now}>${t(locked ? "enterKey" : "tryNow")}</button></p></div>`;
}
