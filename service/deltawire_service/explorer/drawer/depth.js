// Computes how deep each node lies below the loss, and the lines of nodes that run side by side.

/** @import { Model } from "../core/model.js" */

// Returns `depth`, each name's longest distance to the loss; `names`, the node of each depth that is computed first; and
// `lines` [{joint, nodes}], from the loss downwards, which branch off from the line of their joint.
/** @param {Model} model */
export function linesOf(model) {
  const depth = new Map();
  const lines = [];
  const ends = new Map(); // the last node of a line -> the line
  for (const name of model.backward) {
    const above = model.edges.filter((edge) => edge.from === name && depth.has(edge.to)).map((edge) => edge.to);
    const deepest = above.reduce((/** @type {any} */ most, one) => (most === null || depth.get(one) > depth.get(most) ? one : most), null);
    depth.set(name, deepest === null ? 0 : depth.get(deepest) + 1);
    if (!model.places.get(name).kind) continue;
    let line = ends.get(deepest);
    if (line) ends.delete(deepest);
    else lines.push(line = { joint: deepest, nodes: [] });
    line.nodes.push(name);
    ends.set(name, line);
  }
  const first = ({ nodes }) => model.forward.indexOf(nodes.at(-1));
  const names = [];
  for (const name of [...model.forward].reverse()) if (depth.has(name)) names[depth.get(name)] = name;
  return { names: Array.from(names, (name) => name ?? ""), lines: lines.sort((a, b) => first(a) - first(b)), depth };
}
