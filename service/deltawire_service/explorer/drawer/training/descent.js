// Stochastic gradient descent; every gradient comes from /v1/gradients.
import * as api from "../../core/api.js";
import { random } from "../../core/examples.js";
import { flat, largest, minus, norm } from "../../core/numbers.js";

export const NOTHING = { steps: [], loss: [], norm: [], accuracy: [] };

const batched = (document) => Object.keys(document.data).filter((name) => !document.network.inputs[name].shared);

export const batchOf = (document) => document.data[batched(document)[0]]?.length ?? 1;

// Scores to be compared with a label: an integer input of one number whose consumer also takes a vector.
export function judged(model) {
  for (const place of model.places.values()) {
    if (place.kind || place.slot.dtype !== "int64" || place.shape.length) continue;
    for (const edge of model.edges.filter((one) => one.from === place.name)) {
      const inputs = model.places.get(edge.to).inputs.map((name) => model.places.get(name));
      const scores = inputs.find((one) => one.kind && one.shape.length === 1);
      if (scores) return { label: place.name, scores: scores.name };
    }
  }
  return null;
}

// Whether the loss of the last steps is far above the first one: the steps are too long.
export function diverging(loss) {
  if (loss.length < 10) return false;
  const last = loss.slice(-5).reduce((sum, one) => sum + Math.abs(one), 0) / 5;
  return last > 2 * Math.abs(loss[0]) + 1e-3;
}

function accuracy(scores, labels) {
  const right = scores.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]);
  return right.length / scores.length;
}

// Some examples of the batch, other ones at every step, and the same ones every time; all of them when that many are wanted.
function drawn(document, count, step) {
  const batch = batchOf(document);
  if (count >= batch) return document.data;
  const draw = random(step + 1);
  for (let i = 0; i < 3; i += 1) draw();
  const left = Array.from({ length: batch }, (_, i) => i);
  const rows = Array.from({ length: count }, () => left.splice(Math.floor(draw() * left.length), 1)[0]);
  const names = batched(document);
  return Object.fromEntries(Object.entries(document.data).map(([name, array]) =>
    [name, names.includes(name) ? rows.map((row) => array[row]) : array]));
}

const LARGEST = 1e12; // of a parameter: it has diverged, and is not followed to where sums are no numbers any more

// Steps until `last`, run.stopped or a parameter that is too large; `seen` is told of each: (history so far, parameters).
export async function descend(document, { params, history, last, rate, count, what, run, seen }) {
  for (let step = history.steps.length; step < last && !run.stopped; step += 1) {
    const data = drawn(document, count, step);
    const answer = await api.gradients({ network: document.network, params, data, values: what ? [what.scores] : [] });
    const gradients = answer.gradients.params;
    const stepped = Object.fromEntries(Object.entries(params).map(([name, array]) => [name, minus(array, gradients[name], rate)]));
    if (Object.values(stepped).some((array) => largest(array) > LARGEST)) return;
    params = stepped;
    history = {
      steps: [...history.steps, step + 1], loss: [...history.loss, answer.loss],
      norm: [...history.norm, norm(Object.values(gradients).flatMap(flat))],
      accuracy: [...history.accuracy, what ? accuracy(answer.values[what.scores], data[what.label]) : null],
    };
    if (run.discarded) return;
    seen(history, params);
  }
}
