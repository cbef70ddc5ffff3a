// Keeps the visitor's own networks where the browser stores them.

const KEPT = "deltawire.networks", DRAFT = "deltawire.draft", REFUSED = "deltawire.refused";
const REFUSED_MOST = 20; // texts; beyond it the oldest goes

function read(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") ?? fallback;
  } catch { // storage is switched off, or something else wrote there
    return fallback;
  }
}

// Returns whether there was room.
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch { // storage is full or switched off
    return false;
  }
}

const isKept = (one) => typeof one?.title === "string" && Boolean(one.document?.network);

// Returns the networks that were kept, [{title, document}], the newest first.
export function keptNetworks() {
  const kept = read(KEPT, []);
  return Array.isArray(kept) ? kept.filter(isKept) : [];
}

// Keeps a network, under another title where one has it: nothing is replaced. Returns the title; null where there is no room.
export function keep(title, document) {
  const others = keptNetworks();
  const taken = new Set(others.map((one) => one.title));
  let [free, number] = [title, 1];
  while (taken.has(free)) free = `${title} ${number += 1}`;
  return write(KEPT, [{ title: free, document }, ...others]) ? free : null;
}

export const drop = (title) => write(KEPT, keptNetworks().filter((one) => one.title !== title));

export const titleOf = (document, kept) => kept.find((one) => JSON.stringify(one.document) === JSON.stringify(document))?.title ?? null;

// The last network of one's own, that is kept without being asked to.
export const draft = () => read(DRAFT, null);
export const keepDraft = (document) => write(DRAFT, document);

const isRefused = (one) => typeof one?.text === "string" && typeof one.id === "string";

// Returns the texts that were typed or opened and never accepted, [{id, text}], the newest first.
export function refusedTexts() {
  const texts = read(REFUSED, []);
  return Array.isArray(texts) ? texts.filter(isRefused) : [];
}

// Keeps a text until it is accepted, in place of what has the same id. Returns whether there was room.
export function keepRefused(id, text) {
  const others = refusedTexts().filter((one) => one.id !== id && one.text !== text);
  return write(REFUSED, [{ id, text }, ...others].slice(0, REFUSED_MOST));
}

// Drops a text that was accepted or deleted: another text that has come under its id since stays.
export const dropRefused = (id, text) => write(REFUSED, refusedTexts().filter((one) => one.id !== id || one.text !== text));

// An id that no other text has, in this tab or another.
export const newId = () => `${Date.now()}.${Math.random()}`;
