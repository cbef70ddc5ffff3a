// Writes the state of the page of models into its address, and reads it back.

export function addressOf({ lang, chosen, log }) {
  const parts = new URLSearchParams();
  const keys = chosen.filter(Boolean);
  if (keys.length) parts.set("curves", keys.join(","));
  if (log) parts.set("log", "1");
  if (lang !== "en") parts.set("lang", lang);
  return `${location.pathname}${String(parts) && `#${parts}`}`;
}

export function readAddress(hash, languages) {
  const parts = new URLSearchParams(hash.slice(1));
  const keys = (parts.get("curves") ?? "").split(",").filter((key) => /^(model|run):[\w-]+$/.test(key));
  const lang = parts.get("lang") ?? "";
  return { chosen: [...new Set(keys)], log: parts.get("log") === "1", lang: Object.hasOwn(languages, lang) ? lang : "en" };
}
