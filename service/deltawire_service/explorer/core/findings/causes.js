// Finds why deltas are small: flat slopes in the whole batch, and examples with nothing left to learn.
import { flat, largest, sizeOf } from "../arrays.js";
import { precise } from "../numbers.js";

/** @import { Traced } from "../arrays.js" */
/** @import { Edge, Model } from "../model.js" */

const SATURATED = 0.1;
const OUT = 1, FAR = 10; // sizes of inputs: out on the curve, and so far out that next to nothing of the slope is left
const LOST = 1e-8; // such a slope, or less
const FITTED = 0.01; // a loss of next to nothing
const PROBABILITIES = ["softmax", "log_softmax", "sigmoid", "log_sigmoid"]; // belong to the loss behind them

const CAUSES = ["dead", "deadUnits", "inactive", "saturated", "satisfied", "fitted"];
export const isCause = ({ what }) => CAUSES.includes(what);

// Returns the warning about a layer that works number by number, null without one. A number of the layer is dead where its
// slope is exactly 0 in every example: one example shows only that it is inactive. Far out on a curve whose value is not 0
// it is saturated instead.
/** @param {Model} model @param {Edge} edge @param {Translate} t */
export function flatness(model, edge, t) {
  const { value: node, inputs: sources } = model.places.get(edge.to);
  const source = model.places.get(edge.from).value;
  const [slopes, inputs, values] = [edge.local, source, node].map(({ numbers }) => flat(numbers));
  const batch = batchOf(model, edge, slopes);
  const zero = slopes.flatMap((slope, i) => (slope === 0 ? [i] : []));
  const lost = slopes.flatMap((slope, i) => (Math.abs(slope) <= LOST ? [i] : []));
  const far = lost.filter((i) => Math.abs(inputs[i]) >= FAR && values[i] !== 0);
  if (far.length <= zero.length / 2) {
    const always = batch.examples > 1 ? zero.filter((i) => batch.rows.every((row) => row[i] === 0)).length : 0;
    const counts = [slopes.length, batch.examples, model.losses.length];
    if (always === slopes.length) return { what: "dead", text: t("dead", ...counts) };
    if (zero.length === slopes.length) return { what: "inactive", text: t("inactive", ...counts) };
    if (always > 0) return { what: "deadUnits", text: t("deadUnits", always, ...counts) };
  }
  if (sources.length > 1) return null; // a product, or the like: no curve
  const most = largest(slopes);
  const near = Math.min(...inputs.map(Math.abs));
  if (most < SATURATED && near >= OUT) {
    const sides = source.min < 0 && source.max > 0 ? precise(near) : "";
    const count = batch.rows.filter((row) => largest(row) < SATURATED).length;
    const text = t("saturated", precise(most), edge.from, precise(source.min), precise(source.max), sides);
    return { what: "saturated", text: text + inExamples(count, batch.examples, t) };
  }
  if (!far.length || lost.length <= slopes.length / 2) return null;
  return { what: "saturated", text: t("saturatedSome", lost.length, slopes.length, edge.from) };
}

// The slopes of every example that was looked at, as rows; of the shown one alone, where there are too many numbers.
/** @param {Model} model @param {Edge} edge */
function batchOf(model, edge, slopes) {
  const all = model.slopes.get(edge.id);
  if (!all?.numbers) return { rows: [slopes], examples: 1 };
  return { rows: all.numbers.map(flat), examples: all.shape[0] };
}

/** @param {Translate} t */
const inExamples = (count, all, t) => (all > 1 ? ` ${t("inExamples", count, all)}` : "");

// The loss is exactly 0, and so is what its node sends: the margin is kept.
/** @param {Model} model @param {Translate} t */
export function satisfaction(model, name, t) {
  if (model.loss !== 0 || largest(model.places.get(name).value?.numbers ?? 1) !== 0) return null;
  const count = model.losses.filter((loss) => loss === 0).length;
  return { what: "satisfied", text: t("satisfied") + inExamples(count, model.losses.length, t) };
}

// The nodes that make the loss: its own, and the probabilities that it alone takes.
/** @param {Model} model */
export function lossEnd(model) {
  const end = new Set([...model.places.values()].filter((place) => place.weight).map(({ name }) => name));
  for (const { name, kind } of model.places.values()) {
    const takers = model.edges.filter((edge) => edge.from === name && edge.delta).map((edge) => edge.to);
    if (PROBABILITIES.includes(kind) && takers.length && takers.every((taker) => end.has(taker))) end.add(name);
  }
  return end;
}

// An example is fitted where its loss is next to nothing, and so is what the nodes of the loss send. Returns the warning.
/** @param {Model} model @param {Translate} t */
export function fit(model, sent, t) {
  if (!(model.loss > 0 && model.loss <= FITTED) || !(sent > 0)) return null;
  const count = model.losses.filter((loss) => loss <= FITTED).length;
  return { what: "fitted", text: t("fitted", precise(model.loss)) + inExamples(count, model.losses.length, t) };
}

// The root mean square of an array.
/** @param {Traced} traced */
export const meanSize = (traced) => (traced ? traced.norm / Math.sqrt(Math.max(1, sizeOf(traced.shape))) : 0);
