// Draws the switches of theme and language, and the links to other pages.
import { html, useEffect, useState } from "../core/dom.js";
import { remember, remembered } from "../core/preferences.js";

// Returns the theme, and what sets and remembers it: the visitor's choice, or else that of the machine.
function useTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const [theme, setTheme] = useState(remembered("theme", ["light", "dark"]) ?? (dark ? "dark" : "light"));
  useEffect(() => { document.documentElement.dataset.theme = theme; }, [theme]);
  return { theme, setTheme: (chosen) => { setTheme(chosen); remember("theme", chosen); } };
}

// `languages`: the name of each by its code. `children`: links beside the one to the API.
export function Switches({ languages, lang, setLang, children, t }) {
  const { theme, setTheme } = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return html`<div class="switches">
    <button onClick=${() => setTheme(other)} data-theme-switch title=${t(other)} aria-label=${t(other)}>◐</button>
    ${Object.entries(languages).map(([code, label]) => html`
      <button lang=${code} class=${lang === code ? "on" : ""} aria-pressed=${lang === code} onClick=${() => setLang(code)}>${label}</button>`)}
    ${children}
    <a href="/docs">${t("api")}</a>
  </div>`;
}
