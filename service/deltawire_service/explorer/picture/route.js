// Cuts the routes of edges into parts and writes them as SVG paths.

/** @import { Edge } from "../core/model.js" */

// Cuts the route of an edge where its rows are cut; edges into one node end beside each other.
/** @param {Edge} edge @param {Edge[]} edges */
export function cut(edge, edges, nodes, route, cuts) {
  const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
  const siblings = edges.filter((other) => other.to === edge.to).sort((a, b) => nodes.get(a.from).y - nodes.get(b.from).y);
  const spread = Math.min(12, (to.height - 56) / siblings.length);
  const offset = (siblings.indexOf(edge) - (siblings.length - 1) / 2) * spread;
  const points = [
    { x: from.x + from.width / 2, y: from.y }, ...route.points.slice(1, -1), { x: to.x - to.width / 2, y: to.y + offset },
  ];
  const between = [...nodes.values()].some((node) => node.x > from.x + 1 && node.x < to.x - 1);
  return { edge, parts: split(points, cuts.filter((cut) => cut > from.x && cut < to.x)), jump: between };
}

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
