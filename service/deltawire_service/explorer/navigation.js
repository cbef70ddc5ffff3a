// Keeps where the reader is, and leads from one network, step or stop of a tour to another.
import { useState } from "./core/dom.js";
import { exampleDocument, NAMES } from "./core/examples.js";
import { dropRefused, keepRefused, newId } from "./core/kept.js";
import { nodeAt, stepNamed, stepOf } from "./core/steps.js";
import { TABS } from "./drawer/drawer.js";
import { written } from "./drawer/pointers.js";
import { TOURS } from "./lecture/tours.js";

/** @import { Failure as Failed } from "./core/requests.js"
 *  @import { Options } from "./page/evaluation.js" */

// The part of an address that needs no network: what is not there falls back.
const viewIn = (address) => ({
  step: 0, selected: address.selected, down: address.down, stop: address.stop,
  tour: TOURS[address.tour]?.stops[address.stop] ? address.tour : null,
  tab: TABS.includes(address.tab) ? address.tab : "inputs",
});

// `initial`: the state of the address. `reread`: called when a text is kept. Returns `view`, {step, selected, down, stop, tour, tab},
// which change together, and what changes them.
export function useNavigation(initial, { evaluation, latest, show, reread }) {
  const [view, setView] = useState(viewIn(initial));
  const { model, origin } = evaluation ?? {};
  const look = (part) => setView((old) => ({ ...old, ...(typeof part === "function" ? part(old) : part) }));

  const stay = (next) => look((old) => ({
    step: old.step >= (model?.last ?? 0) ? next.last : Math.min(old.step, next.last),
    selected: next.places.has(old.selected) ? old.selected : nodeAt(next, next.last),
  }));
  // `run`: the number of a training, whose networks are one entry of the history.
  /** @type {(changed: any, options?: Options & { run?: number | null }) => Promise<Failed | null>} */
  const change = (changed, { run = null, ...options } = {}) => show(changed, { then: stay, origin: { ...origin, changed: true, run }, ...options });
  /** @type {(modify: (document: any) => any, options?: Options) => Promise<Failed | null>} */
  const edit = (modify, options = {}) => {
    look({ tour: null });
    return change(modify(structuredClone(latest)), { renew: true, tentative: true, ...options });
  };
  const toEnd = (next) => look({ step: next.last, selected: nodeAt(next, next.last), tour: null, down: null }); // each network has a direction that suits it
  const openExample = (name, then = toEnd) => show(() => exampleDocument(name), { example: 0, origin: { name, changed: false }, then });
  // It is an entry of the history by itself: there is a way back to the network before. Where it is refused, it is kept.
  const openOwn = (own) => {
    const [id, text] = [newId(), written(own)];
    const opened = { name: NAMES[0], ...origin, changed: true, run: null, opened: id };
    return change(own, { example: 0, tentative: true, then: toEnd, origin: opened, accepted: () => dropRefused(id, text) })
      .then((failed) => failed && keepRefused(id, text) && reread());
  };
  const openTour = (chosen, index) => {
    if (chosen === null) return look({ tour: null });
    const { example, step: at, at: place, tab: named } = TOURS[chosen].stops[index];
    const there = (next) => ({ tour: chosen, stop: index, tab: named ?? "inputs", step: stepNamed(next, at), selected: place });
    if (example === origin?.name && !origin.changed) return look(there(model)); // the card and its picture change together
    return openExample(example, (next) => look({ ...there(next), down: null }));
  };
  const openAddress = (address) => {
    const name = NAMES.includes(address.name) ? address.name : NAMES[0];
    const there = viewIn(address);
    const then = (next) => {
      const at = Math.min(address.step ?? next.last, next.last);
      look({ ...there, step: at, selected: next.places.has(address.selected) ? address.selected : nodeAt(next, at) });
    };
    if (there.tour !== null && address.step === null && !address.document) return openTour(there.tour, there.stop);
    const text = address.document?.network && written(address.document); // stays among the refused texts where it is refused
    const id = newId();
    return show(address.document ?? (() => exampleDocument(name)), {
      example: address.example, origin: { name, changed: Boolean(address.document) }, then, accepted: () => dropRefused(id, text),
    }).then((failed) => failed && text && keepRefused(id, text));
  };
  const go = (to) => look({ step: to, selected: nodeAt(model, to) ?? view.selected });
  const select = (place) => look((old) => ({ selected: place, step: Math.max(old.step, stepOf(model, place)) }));
  return { view, look, stay, change, edit, openExample, openOwn, openTour, openAddress, go, select };
}
