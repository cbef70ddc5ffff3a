// Keeps the titles of the service's problems in the languages that the page is shown in.
import { useEffect, useState } from "../dom.js";
import { Failure, getOnce } from "../requests.js";

/** @type {Record<string, Record<string, string>>} */
const titles = {}; // by language, then by code

/** @param {string} lang @param {string} code */
export const titleOf = (lang, code) => titles[lang]?.[code];

// Loads the titles of a language. Where the service does not answer, its sentences stay without them.
/** @param {string} lang */
export async function loadTitles(lang) {
  if (lang === "en" || titles[lang]) return; // the service's own sentences are English
  try {
    titles[lang] = await getOnce(`/explorer/problems/${lang}.json`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

// Loads the titles of the page's language, and draws the caller again with them.
/** @param {string} lang */
export function useTitles(lang) {
  const [, draw] = useState(0);
  useEffect(() => { loadTitles(lang).then(() => draw((count) => count + 1)); }, [lang]);
}
