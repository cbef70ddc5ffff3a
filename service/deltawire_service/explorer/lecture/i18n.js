// Looks a text up in the chosen language.
import { titleOf } from "../core/problems/titles.js";

export const LANGUAGES = { en: "English", ko: "한국어" };

// `texts`: English and Korean of each key. Returns t(key, ...values), which writes a text; t.known(key) tells whether there
// is one, and t.title(code) is the title of a problem, unless the language is that of the service's sentences.
export function translator(texts, lang) {
  const index = Object.keys(LANGUAGES).indexOf(lang);
  const t = (key, ...values) => {
    const text = texts[key][index];
    return typeof text === "function" ? text(...values) : text;
  };
  t.known = (key) => Boolean(texts[key]?.[index]);
  t.title = (code) => titleOf(lang, code);
  return t;
}
