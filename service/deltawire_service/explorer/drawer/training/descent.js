// Runs stochastic gradient descent with gradients from /v1/gradients.
import * as api from "../../core/api.js";
import { flat, largest, minus, norm } from "../../core/arrays.js";
import { random } from "../../core/random.js";

const LARGEST = 1e12; // of a parameter: beyond it, the loss has diverged and sums stop being numbers

export const NOTHING = { steps: [], loss: [], norm: [], accuracy: [] };

const batchedOf = (document) => Object.keys(document.data).filter((name) => !document.network.inputs[name].shared);

export const batchOf = (document) => document.data[batchedOf(document)[0]]?.length ?? 1;

// Returns {label, scores}: an integer input of one number, and the vector that the same consumer takes; null without them.
export function classificationOf(model) {
  for (const place of model.places.values()) {
    if (place.kind || place.spec.dtype !== "int64" || place.shape.length) continue;
    for (const edge of model.edges.filter((one) => one.from === place.name)) {
      const inputs = model.places.get(edge.to).inputs.map((name) => model.places.get(name));
      const scores = inputs.find((one) => one.kind && one.shape.length === 1);
      if (scores) return { label: place.name, scores: scores.name };
    }
  }
  return null;
}

// Tells whether the loss of the last steps is far above the first: the steps are too long.
export function diverging(loss) {
  if (loss.length < 10) return false;
  const last = loss.slice(-5).reduce((sum, one) => sum + Math.abs(one), 0) / 5;
  return last > 2 * Math.abs(loss[0]) + 1e-3;
}

function accuracy(scores, labels) {
  const right = scores.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]);
  return right.length / scores.length;
}

// Draws examples of the batch: others at each step, but the same in each run; all of them where `count` is that many.
function miniBatch(document, count, step) {
  const batch = batchOf(document);
  if (count >= batch) return document.data;
  const draw = random(step + 1);
  for (let i = 0; i < 3; i += 1) draw(); // the first numbers of near seeds are alike
  const left = Array.from({ length: batch }, (_, i) => i);
  const rows = Array.from({ length: count }, () => left.splice(Math.floor(draw() * left.length), 1)[0]);
  const names = batchedOf(document);
  return Object.fromEntries(Object.entries(document.data).map(([name, array]) =>
    [name, names.includes(name) ? rows.map((row) => array[row]) : array]));
}

// Steps until step `last`, until run.stopped, or until a parameter is too large; returns which: "Done", "Paused" or
// "Diverged". Calls `onStep` with the history and the parameters after each step, unless run.discarded.
export async function descend(document, { params, history, last, rate, count, classification, run, onStep }) {
  for (let step = history.steps.length; step < last && !run.stopped; step += 1) {
    const data = miniBatch(document, count, step);
    const answer = await api.gradients({ network: document.network, params, data, values: classification ? [classification.scores] : [] });
    const gradients = answer.gradients.params;
    const stepped = Object.fromEntries(Object.entries(params).map(([name, array]) => [name, minus(array, gradients[name], rate)]));
    if (Object.values(stepped).some((array) => !(largest(array) <= LARGEST))) return "Diverged";
    params = stepped;
    history = {
      steps: [...history.steps, step + 1], loss: [...history.loss, answer.loss],
      norm: [...history.norm, norm(Object.values(gradients).flatMap(flat))],
      accuracy: [...history.accuracy, classification ? accuracy(answer.values[classification.scores], data[classification.label]) : null],
    };
    if (run.discarded) return "Paused";
    onStep(history, params);
  }
  return run.stopped && history.steps.length < last ? "Paused" : "Done";
}
