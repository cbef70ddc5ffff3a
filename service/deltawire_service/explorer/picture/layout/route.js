// Cuts the routes of edges into parts and writes them as SVG paths.

/** @import { Edge } from "../../core/model.js" */

// Returns the line of each edge, {edge, from, to, points, jump}, from side to side of its cards; edges into one node end beside
// each other. `jump`: it passes over other nodes.
/** @param {Edge[]} edges */
export function linesOf(edges, nodes, routes) {
  const into = new Map();
  for (const edge of edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge]);
  for (const siblings of into.values()) siblings.sort((one, other) => nodes.get(one.from).y - nodes.get(other.from).y);
  const columns = [...new Set([...nodes.values()].map((node) => node.x))];
  return edges.map((edge) => {
    const [from, to, siblings] = [nodes.get(edge.from), nodes.get(edge.to), into.get(edge.to)];
    const spread = Math.min(12, (to.height - 56) / siblings.length);
    const offset = (siblings.indexOf(edge) - (siblings.length - 1) / 2) * spread;
    const points = [
      { x: from.x + from.width / 2, y: from.y }, ...routes.get(edge.id).points.slice(1, -1), { x: to.x - to.width / 2, y: to.y + offset },
    ];
    return { edge, from: from.x, to: to.x, points, jump: columns.some((x) => x > from.x + 1 && x < to.x - 1) };
  });
}

// Cuts a line into parts, one a row.
export const cut = ({ edge, from, to, points, jump }, cuts) => ({ edge, jump, parts: split(points, cuts.filter((x) => x > from && x < to)) });

function split(points, cuts) {
  const parts = [{ points: [points[0]] }];
  const left = [...cuts];
  for (let i = 1; i < points.length; i += 1) {
    while (left.length && left[0] < points[i].x) { // the turn itself leads up or down
      const x = left.shift();
      parts[parts.length - 1].points.push({ x: x - 0.01, y: points[i - 1].y });
      parts.push({ points: [{ x: x + 0.01, y: points[i].y }] });
    }
    parts[parts.length - 1].points.push(points[i]);
  }
  return parts;
}

const written = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;

export function smooth(points, first) {
  let path = `${first ? "M" : "L"} ${written(points[0])}`;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = (a.x + b.x) / 2;
    path += ` C ${written({ x: middle, y: a.y })} ${written({ x: middle, y: b.y })} ${written(b)}`;
  }
  return path;
}

// Leads from the end of a row to the start of the next one, through the gutter between them.
export function elbow(end, next, right, left, gap) {
  const r = 8;
  return ` L ${written({ x: right - r, y: end.y })} Q ${written({ x: right, y: end.y })} ${written({ x: right, y: end.y + r })}`
    + ` L ${written({ x: right, y: gap - r })} Q ${written({ x: right, y: gap })} ${written({ x: right - r, y: gap })}`
    + ` L ${written({ x: left + r, y: gap })} Q ${written({ x: left, y: gap })} ${written({ x: left, y: gap + r })}`
    + ` L ${written({ x: left, y: next.y - r })} Q ${written({ x: left, y: next.y })} ${written({ x: left + r, y: next.y })} L ${written(next)}`;
}
