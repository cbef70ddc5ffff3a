// Wraps a long network into rows like text, or into columns when it runs from top to bottom.
import { larger, whole } from "./fit.js";
import { cut, elbow, smooth } from "./route.js";

/** @import { Edge } from "../core/model.js" */

const GUTTER = 44; // between rows, at least
const LANE = 8; // between lines that run side by side
const AWAY = 22; // from such lines to the row: a badge has room there
const ROWS = 40; // at most

// Chooses the number of rows that draws everything largest; several columns only where none has to scroll.
/** @param {Edge[]} edges */
export function wrapped(drawing, edges, view, down) {
  let best = null;
  for (let rows = 1; rows <= ROWS; rows += 1) {
    const flat = stacked(drawing, edges, rows);
    if (!flat) break;
    const tried = down ? turned(flat) : flat;
    if (!best || (larger(tried, best, view) && (!down || whole(tried, view)))) best = tried;
  }
  return best;
}

/** @param {any} drawing @param {Edge[]} edges */
function stacked({ nodes, routes }, edges, rows) {
  const columns = ranks(nodes);
  if (rows > columns.length) return null;
  const cuts = cutBetween(columns, edges, nodes, rows);
  if (cuts.length < rows - 1) return null;
  const rowOf = (x) => cuts.filter((cut) => cut < x).length;
  /** @type {{ left: number, right: number, top: number, bottom: number, turns: any[], x: number, y: number }[]} */
  const boxes = Array.from({ length: rows }, () => ({ left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity, turns: [], x: 0, y: 0 }));
  const widen = ({ x, y, width = 0, height = 10 }) => {
    const box = boxes[rowOf(x)];
    box.left = Math.min(box.left, x - width / 2); box.right = Math.max(box.right, x + width / 2);
    box.top = Math.min(box.top, y - height / 2); box.bottom = Math.max(box.bottom, y + height / 2);
  };
  nodes.forEach(widen);
  const lines = edges.map((edge) => cut(edge, edges, nodes, routes.get(edge.id), cuts));
  for (const { edge, parts } of lines) {
    parts.forEach((part) => part.points.forEach(widen));
    widen(routes.get(edge.id).label);
    parts.slice(0, -1).forEach((part) => boxes[rowOf(part.points[0].x)].turns.push(part));
  }
  const most = Math.max(0, ...boxes.map((box) => box.turns.length));
  const margin = rows > 1 ? 28 + LANE * most : 12;
  let top = 12;
  for (const box of boxes) {
    box.y = top - box.top; box.x = margin - box.left;
    box.turns.sort((a, b) => a.points.at(-1).y - b.points.at(-1).y);
    top += box.bottom - box.top + Math.max(GUTTER, 2 * AWAY + LANE * box.turns.length);
  }
  const width = Math.max(...boxes.map((box) => box.right - box.left)) + 2 * margin;
  const moved = (point, row = rowOf(point.x)) => ({ x: point.x + boxes[row].x, y: point.y + boxes[row].y });
  const inside = (point, row) => { // near a cut, not beyond the lanes
    const { x, y } = moved(point, row);
    return { x: Math.max(margin - 12, Math.min(width - margin + 12, x)), y };
  };
  const drawn = new Map();
  for (const { edge, parts, jump } of lines) {
    const path = parts.map((part, i) => {
      const row = rowOf(parts[0].points[0].x) + i;
      const line = smooth(part.points.map((point) => inside(point, row)), i === 0);
      if (i === parts.length - 1) return line;
      const { turns } = boxes[row];
      const lane = turns.indexOf(part); // the uppermost line runs outermost, so that no two cross
      const back = turns.length - 1 - lane;
      const gap = boxes[row].bottom + boxes[row].y + AWAY + LANE * back;
      return line + elbow(inside(part.points.at(-1), row), inside(parts[i + 1].points[0], row + 1), width - 8 - LANE * lane, 8 + LANE * back, gap);
    }).join(" ");
    drawn.set(edge.id, { path, label: moved(routes.get(edge.id).label), jump });
  }
  const placed = new Map([...nodes].map(([name, node]) => [name, { ...node, ...moved(node) }]));
  return { nodes: placed, edges: drawn, width, height: boxes[rows - 1].bottom + boxes[rows - 1].y + 14 };
}

function ranks(nodes) {
  const columns = [];
  for (const node of [...nodes.values()].sort((a, b) => a.x - b.x)) {
    const last = columns.at(-1);
    if (last && Math.abs(last.x - node.x) < 1) {
      last.left = Math.min(last.left, node.x - node.width / 2); last.right = Math.max(last.right, node.x + node.width / 2);
    } else columns.push({ x: node.x, left: node.x - node.width / 2, right: node.x + node.width / 2 });
  }
  return columns;
}

// Chooses cuts between columns: about even, and where few edges cross.
/** @param {Edge[]} edges */
function cutBetween(columns, edges, nodes, rows) {
  const start = columns[0].left;
  const length = (columns[columns.length - 1].right - start) / rows;
  const cuts = [];
  for (let row = 1; row < rows; row += 1) {
    const even = start + row * length;
    let best = null;
    for (let i = 1; i < columns.length; i += 1) {
      const cut = columns[i].left - 8; // behind the labels
      if (cuts.length && cut <= cuts[cuts.length - 1]) continue;
      const crossed = edges.filter((edge) => nodes.get(edge.from).x < cut && nodes.get(edge.to).x > cut).length;
      const cost = Math.abs(cut - even) / length + 0.06 * crossed;
      if (!best || cost < best.cost) best = { cut, cost };
    }
    if (best) cuts.push(best.cut);
  }
  return cuts;
}

function turned(drawing) {
  const swap = (path) => path.replace(/(-?[\d.]+) (-?[\d.]+)/g, "$2 $1");
  return {
    nodes: new Map([...drawing.nodes].map(([name, node]) => [name, { x: node.y, y: node.x, width: node.height, height: node.width }])),
    edges: new Map([...drawing.edges].map(([id, { path, label, jump }]) => [id, { path: swap(path), label: { x: label.y, y: label.x }, jump }])),
    width: drawing.height, height: drawing.width,
  };
}
