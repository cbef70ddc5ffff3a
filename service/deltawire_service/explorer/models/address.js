// Writes the state of the page of models into its address, and reads it back.

// `chosen`: keys of curves, null where the page chooses the newest run. `log`: null where the numbers decide.
export function addressOf({ lang, chosen, log }) {
  const parts = new URLSearchParams();
  if (chosen) parts.set("curves", chosen.filter(Boolean).join(","));
  if (log !== null) parts.set("log", log ? "1" : "0");
  if (lang !== "en") parts.set("lang", lang);
  return `${location.pathname}${String(parts) && `#${parts}`}`;
}

export function readAddress(hash, languages) {
  const parts = new URLSearchParams(hash.slice(1));
  const keys = parts.get("curves")?.split(",").filter((key) => /^(model|run):[\w-]+$/.test(key));
  const [lang, log] = [parts.get("lang") ?? "", parts.get("log")];
  return { chosen: keys ? [...new Set(keys)] : null, log: log === null ? null : log === "1", lang: Object.hasOwn(languages, lang) ? lang : "en" };
}
