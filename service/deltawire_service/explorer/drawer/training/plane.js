// Examples that are points in a plane, and where the network would put each class: a grid of points sent to /v1/forward.
import * as api from "../../core/api.js";
import { flat } from "../../core/numbers.js";

export const [COLUMNS, ROWS] = [56, 42];
const LARGEST = 20_000; // numbers of the parameters, above which the grid is not asked for
const MARGIN = 0.08;

// Of a network whose scores come of one input of two numbers: {points, label, scores, classes}; else null.
export function planeOf(model, what) {
  if (!what) return null;
  const sources = new Set([what.scores]);
  for (const name of sources) model.places.get(name).inputs.forEach((one) => sources.add(one));
  const inputs = [...sources].map((name) => model.places.get(name)).filter((place) => !place.kind && !place.slot.shared);
  if (inputs.length !== 1 || inputs[0].slot.dtype === "int64" || String(inputs[0].shape) !== "2") return null;
  return { points: inputs[0].name, label: what.label, scores: what.scores, classes: model.places.get(what.scores).shape[0] };
}

// [[from, to], [from, to]]: what is seen of the plane.
export const frameOf = (points) => [0, 1].map((axis) => {
  const numbers = points.map((point) => point[axis]);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const margin = MARGIN * (most - least || 1);
  return [least - margin, most + margin];
});

// Rows of classes, the upper one first; null where the network is too large, or cannot say.
export async function regions({ network, data }, params, plane, [[left, right], [bottom, top]]) {
  if (Object.values(params).reduce((sum, array) => sum + flat(array).length, 0) > LARGEST) return null;
  const between = (from, to, i, count) => Number((from + ((i + 0.5) / count) * (to - from)).toPrecision(6));
  const grid = Array.from({ length: COLUMNS * ROWS }, (_, i) =>
    [between(left, right, i % COLUMNS, COLUMNS), between(top, bottom, Math.floor(i / COLUMNS), ROWS)]);
  const shared = Object.fromEntries(Object.entries(data).filter(([name]) => network.inputs[name].shared));
  try {
    const { values } = await api.forward({ network, params, data: { ...shared, [plane.points]: grid }, values: [plane.scores], non_finite: "return" });
    const classes = values[plane.scores].map((scores) => scores.indexOf(Math.max(...scores)));
    return Array.from({ length: ROWS }, (_, row) => classes.slice(row * COLUMNS, (row + 1) * COLUMNS));
  } catch (error) {
    if (error instanceof api.Refused) return null;
    throw error;
  }
}
