// Writes the whole state of the page into the URL and reads it back, so that a link shares the view.

/** @typedef {{ model?: { name: string | null, version: number | null, run?: string }, data?: object, [part: string]: unknown }} Asked */

/** @param {BlobPart} bytes @param {CompressionStream | DecompressionStream} stream */
const packed = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

/** @param {object} document */
async function encode(document) {
  const bytes = await packed(new TextEncoder().encode(JSON.stringify(document)), new CompressionStream("deflate-raw"));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
async function decode(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await packed(bytes, new DecompressionStream("deflate-raw"))));
}

// Returns the query and the hash. An unchanged example is there by its name, a version of a model by its name, its number
// and the data, any other document by its compressed text. `embed`: as embedIn returns it.
/** @param {{ step: number, lang: string, [other: string]: any }} props */
export async function toAddress({ name, changed, document, step, selected, example, lang, tour, stop, down, tab, embed }) {
  const parts = new URLSearchParams();
  const { model, data } = document;
  if (changed) parts.set("state", await encode(model ? { data } : document));
  else parts.set("example", name);
  if (tour !== null) parts.set("tour", `${tour}.${stop}`);
  parts.set("step", String(step));
  if (selected) parts.set("at", selected);
  if (example) parts.set("row", example);
  if (down !== null) parts.set("down", down ? "1" : "0");
  if (tab && tab !== "inputs") parts.set("tab", tab);
  if (lang !== "en") parts.set("lang", lang);
  const query = new URLSearchParams({ ...(model && { model: model.name, version: model.version, ...(model.run && { run: model.run }) }), ...(embed && { embed }) });
  return { query: String(query) && `?${query}`, hash: `#${parts}` };
}

/** @param {string} query @param {string} hash */
export async function fromAddress(query, hash) {
  const parts = new URLSearchParams(hash.slice(1));
  /** @param {string} key */
  const integer = (key) => (/^\d+$/.test(parts.get(key) ?? "") ? Number(parts.get(key)) : null);
  const [tour, stop] = (parts.get("tour") ?? "").split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : null));
  const text = parts.get("state");
  const state = text === null ? null : await decode(text).catch(() => null); // null: the link was cut short
  const asked = new URLSearchParams(query);
  return {
    name: parts.get("example"), document: withModel(asked, state), embed: embedIn(asked),
    step: integer("step"), selected: parts.get("at"), example: integer("row") ?? 0, lang: parts.get("lang"),
    tour: tour ?? null, stop: stop ?? 0, down: parts.has("down") ? parts.get("down") === "1" : null, tab: parts.get("tab"),
  };
}

// What a frame of another page shows: "picture" or "panel", the explanation too. Null where the page is in no frame.
/** @param {URLSearchParams} query */
const embedIn = (query) => (!query.has("embed") ? null : query.get("embed") === "panel" ? "panel" : "picture");

// Adds the version of a model that the query names, ?model=NAME&version=N&run=ID, to what the hash says of the document.
/** @param {URLSearchParams} query @param {Asked | null} state @returns {Asked | null} */
function withModel(query, state) {
  if (!query.has("model")) return state;
  const version = /^\d+$/.test(query.get("version") ?? "") ? Number(query.get("version")) : null;
  const run = query.get("run"); // that led to the version
  return { model: { name: query.get("model"), version, ...(run && { run }) }, ...(state?.data && { data: state.data }) };
}
