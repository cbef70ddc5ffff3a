// Tells what is known of a model at each step of the forward and the backward pass.
import { plus, summary } from "./arrays.js";

/** @import { Edge, Model } from "./model.js" */

// The step at which a place sends its delta, or else computes its value; of an input, the step at which its delta is complete.
/** @param {Model} model */
export function stepOf(model, name) {
  if (model.sent.has(name)) return model.forward.length + model.sent.get(name) + 1;
  if (model.computed.has(name)) return model.computed.get(name) + 1;
  const last = model.arriving.get(name)?.at(-1);
  return last ? stepOf(model, last.to) : model.last;
}

// The node that computes or sends at a step: null at step 0.
/** @param {Model} model @param {number} step */
export function nodeAt(model, step) {
  const ahead = model.forward.length;
  return step === 0 ? null : step <= ahead ? model.forward[step - 1] : model.backward[step - ahead - 1];
}

/** @param {Model} model @param {number} step */
export const isBackward = (model, step) => step > model.forward.length;

/** @param {Model} model @param {number} step */
export function valueKnown(model, name, step) {
  return !model.places.get(name).kind || model.computed.get(name) < step;
}

/** @param {Model} model @param {Edge} edge @param {number} step */
export const edgeSent = (model, edge, step) => Boolean(edge.delta) && stepOf(model, edge.to) <= step;

/** @param {Model} model @param {Edge} edge @param {number} step */
export const edgeKnown = (model, edge, step) => edgeSent(model, edge, step) && !model.hidden.has(`edges/${edge.id}`);

// How many terms of a place's delta have arrived by a step, hidden ones too, with the start of the loss.
export const arrivedCount = (model, name, step) =>
  model.arriving.get(name).filter((edge) => edgeSent(model, edge, step)).length + (model.places.get(name).weight && isBackward(model, step) ? 1 : 0);

// The terms of a place's delta that have arrived by a step, their sum, how many are missing, and how many of those are only hidden.
/** @param {Model} model @param {number} step */
export function arrivals(model, name, step) {
  const place = model.places.get(name);
  const coming = model.arriving.get(name);
  /** @type {{ from: string | null, edge?: Edge, delta: any }[]} */
  const terms = coming.filter((edge) => edgeKnown(model, edge, step)).map((edge) => ({ from: edge.to, edge, delta: edge.delta }));
  const start = place.weight ? 1 : 0;
  if (place.weight && isBackward(model, step)) {
    terms.unshift({ from: null, delta: summary(place.weight, []) });
  }
  const missing = coming.length + start - terms.length;
  let sum = null;
  if (terms.length && terms.every((term) => term.delta.numbers !== null)) {
    sum = summary(terms.map((term) => term.delta.numbers).reduce(plus), place.shape);
  } else if (terms.length && !missing) sum = model.delta.get(name) ?? null;
  const hidden = coming.filter((edge) => edgeSent(model, edge, step)).length - coming.filter((edge) => edgeKnown(model, edge, step)).length;
  return { terms, missing, hidden, sum, expected: coming.length + start };
}

// Returns the step of a stop of a tour: "end", ">f" when f has its value, or "<f" when f has sent its deltas.
/** @param {Model} model @param {string} step */
export function stepNamed(model, step) {
  const name = step.slice(1);
  return step === "end" ? model.last : step[0] === ">" ? model.forward.indexOf(name) + 1 : stepOf(model, name);
}
