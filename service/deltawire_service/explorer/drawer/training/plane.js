// Finds the class that the network predicts at each point of a grid in the plane of its examples.
import * as api from "../../core/api.js";
import { flat } from "../../core/arrays.js";

export const [COLUMNS, ROWS] = [56, 42];
const LARGEST = 20_000; // numbers in the parameters, above which the grid would take too long
const MARGIN = 0.08; // around the examples, as a fraction of their extent

// Returns {points, label, scores, classes} of a network whose scores depend on one input of two numbers; else null.
export function planeOf(model, classification) {
  if (!classification) return null;
  const { label, scores } = classification;
  const sources = new Set([scores]);
  for (const name of sources) model.places.get(name).inputs.forEach((one) => sources.add(one));
  const inputs = [...sources].map((name) => model.places.get(name)).filter((place) => !place.kind && !place.spec.shared && !place.spec.parameter && !place.spec.noise);
  if (inputs.length !== 1 || inputs[0].spec.dtype === "int64" || String(inputs[0].shape) !== "2") return null;
  return { points: inputs[0].name, label, scores, classes: model.places.get(scores).shape[0] };
}

// Returns the part of the plane to show, [[left, right], [bottom, top]].
export const frameOf = (points) => [0, 1].map((axis) => {
  const numbers = points.map((point) => point[axis]);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const margin = MARGIN * (most - least || 1);
  return [least - margin, most + margin];
});

// Returns rows of predicted classes, the upper row first; null where the network is too large.
export async function regions({ network, data }, params, plane, [[left, right], [bottom, top]]) {
  if (Object.values(params).reduce((sum, array) => sum + flat(array).length, 0) > LARGEST) return null;
  const between = (from, to, i, count) => Number((from + ((i + 0.5) / count) * (to - from)).toPrecision(6));
  const grid = Array.from({ length: COLUMNS * ROWS }, (_, i) =>
    [between(left, right, i % COLUMNS, COLUMNS), between(top, bottom, Math.floor(i / COLUMNS), ROWS)]);
  const shared = Object.fromEntries(Object.entries(data).filter(([name]) => network.inputs[name].shared));
  const { values } = await api.forward({ network, params, data: { ...shared, [plane.points]: grid }, values: [plane.scores], non_finite: "return" });
  const classes = values[plane.scores].map((scores) => scores.indexOf(Math.max(...scores)));
  return Array.from({ length: ROWS }, (_, row) => classes.slice(row * COLUMNS, (row + 1) * COLUMNS));
}
