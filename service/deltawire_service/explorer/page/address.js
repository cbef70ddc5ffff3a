// Keeps the whole state of the page in its address, with an entry of the history for each network, stop and finished edit.
import { useEffect, useRef } from "../core/dom.js";
import { fromAddress, toAddress } from "../core/state.js";

const SETTLED = 150; // milliseconds without a change, before the address is written
const ONE_EDIT = 1000; // milliseconds between two edits that are one entry of the history
const LONGEST = 1_000_000; // letters of an address: browsers take at most twice that

const large = new Map(); // documents that no address holds, by the number of their entry
let numbers = 0;

/** @typedef {{ entry: string | null, at: number, edited: boolean, moved: boolean, opened?: string }} Entry */

// Returns {url, fits} for a state of the page. An address too long for browsers is written without the document.
export async function addressOf(state) {
  const { query, hash } = await toAddress(state);
  const fits = hash.length <= LONGEST;
  return { url: `${location.origin}${location.pathname}${query}${fits ? hash : "#"}`, fits };
}

// What leads to a new entry: another network, another stop.
const entryOf = ({ name, changed, document, tour, stop, run }) =>
  JSON.stringify([changed ? run ?? [document.network, document.params, document.data] : name, tour, tour === null ? 0 : stop]);

// `state`: of the page, null before there is one; `opened` in it, the id of a network that was opened from a file, begins an
// entry however soon it comes. `open`: called with the state of the address when the visitor goes back, forward or to
// another hash; the document is in it where no address could hold it.
export function useAddress(state, open) {
  const written = useRef(/** @type {Entry} */ ({ entry: null, at: 0, edited: false, moved: false }));
  const waiting = useRef(/** @type {{ state: any, timer: number } | null} */ (null)); // what is to be written
  const turn = useRef(Promise.resolve()); // writing an address takes its time, and the next one waits
  const latest = useRef();
  latest.current = open;
  const write = (shown) => {
    waiting.current = null;
    turn.current = turn.current.then(() => record(shown, written));
  };
  useEffect(() => {
    if (!state) return undefined;
    if (waiting.current && waiting.current.state.opened !== state.opened) write(waiting.current.state);
    waiting.current = { state, timer: setTimeout(() => write(state), SETTLED) };
    const { timer } = waiting.current;
    return () => clearTimeout(timer);
  }, state ? Object.values(state) : []);
  useEffect(() => {
    const move = async ({ state: kept }) => {
      clearTimeout(waiting.current?.timer); // what is shown is not written over the entry that is opened
      waiting.current = null;
      written.current = { ...written.current, moved: true, opened: undefined };
      const there = await fromAddress(location.search, location.hash);
      latest.current({ ...there, document: large.get(kept?.large) ?? there.document });
    };
    addEventListener("popstate", move);
    return () => removeEventListener("popstate", move);
  }, []);
}

// Writes a state into the address: over the entry of the history that `written` describes, or as another one. In a frame
// it is never another one: Back belongs to the page around it.
async function record(state, written) {
  const { url, fits } = await addressOf(state);
  const [entry, old] = [entryOf(state), written.current];
  const { opened } = state;
  const edited = state.changed && state.tour === null;
  const joined = old.moved || (edited && old.edited && Date.now() - old.at < ONE_EDIT);
  const same = old.entry === null || old.entry === entry || (joined && old.opened === opened);
  if (!fits) large.set(numbers += 1, state.document);
  history[same || state.embed ? "replaceState" : "pushState"](fits ? null : { large: numbers }, "", url);
  written.current = old.entry === entry ? { ...old, opened, moved: false } : { entry, at: Date.now(), edited, opened, moved: false };
}
