// Wraps a long network into rows like text, or into columns when it runs from top to bottom.
import { larger, whole } from "../fit.js";
import { cut, elbow, linesOf, smooth } from "./route.js";

/** @import { Edge } from "../../core/model.js" */

const GUTTER = 44; // between rows, at least
const LANE = 8; // between lines that run side by side
const AWAY = 22; // from such lines to the row: a badge has room there
const ROWS = 40; // at most
const ENOUGH = 2; // times the height of the rows that are drawn largest, and no more rows are tried

// Chooses the number of rows that draws everything largest; several columns only where none has to scroll. Only the chosen
// one is drawn: the others are measured.
/** @param {Edge[]} edges */
export function wrapped(drawing, edges, view, down) {
  const columns = ranks(drawing.nodes);
  const prepared = { ...drawing, columns, crossed: crossingsOf(columns, edges, drawing.nodes), lines: linesOf(edges, drawing.nodes, drawing.routes) };
  let best = null;
  for (let rows = 1; rows <= ROWS; rows += 1) {
    const stack = stacked(prepared, rows);
    if (!stack) break;
    const tried = down ? { stack, width: stack.height, height: stack.width } : { stack, width: stack.width, height: stack.height };
    if (!best || (larger(tried, best, view) && (!down || whole(tried, view)))) best = tried;
    else if (!view.scrolls && stack.height > ENOUGH * best.stack.height) break; // more rows are only higher
  }
  if (!best) return null;
  const flat = drawn(prepared, best.stack);
  return down ? turned(flat) : flat;
}

// Measures a drawing in rows. Returns {boxes, lines, rowOf, margin, width, height}; null where there are too few columns.
/** @param {any} drawing @param {number} rows */
function stacked({ nodes, routes, columns, crossed, lines: uncut }, rows) {
  if (rows > columns.length) return null;
  const cuts = cutBetween(columns, crossed, rows);
  if (cuts.length < rows - 1) return null;
  const rowOf = (x) => { let row = 0; while (row < cuts.length && cuts[row] < x) row += 1; return row; }; // cuts ascend
  /** @type {{ left: number, right: number, top: number, bottom: number, turns: any[], x: number, y: number }[]} */
  const boxes = Array.from({ length: rows }, () => ({ left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity, turns: [], x: 0, y: 0 }));
  const widen = ({ x, y, width = 0, height = 10 }) => {
    const box = boxes[rowOf(x)];
    box.left = Math.min(box.left, x - width / 2); box.right = Math.max(box.right, x + width / 2);
    box.top = Math.min(box.top, y - height / 2); box.bottom = Math.max(box.bottom, y + height / 2);
  };
  nodes.forEach(widen);
  const lines = uncut.map((line) => cut(line, cuts));
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
  return { boxes, lines, rowOf, margin, width, height: boxes[rows - 1].bottom + boxes[rows - 1].y + 14 };
}

// Places the nodes and writes the paths of a measured drawing.
function drawn({ nodes, routes }, { boxes, lines, rowOf, margin, width, height }) {
  const moved = (point, row = rowOf(point.x)) => ({ x: point.x + boxes[row].x, y: point.y + boxes[row].y });
  const inside = (point, row) => { // near a cut, not beyond the lanes
    const { x, y } = moved(point, row);
    return { x: Math.max(margin - 12, Math.min(width - margin + 12, x)), y };
  };
  const paths = new Map();
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
    paths.set(edge.id, { path, label: moved(routes.get(edge.id).label), jump });
  }
  const placed = new Map([...nodes].map(([name, node]) => [name, { ...node, ...moved(node) }]));
  return { nodes: placed, edges: paths, width, height };
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

const cutBefore = (column) => column.left - 8; // behind the labels

// How many edges cross the cut before each column.
/** @param {any[]} columns @param {Edge[]} edges @param {Map<string, any>} nodes */
const crossingsOf = (columns, edges, nodes) => columns.map((column) =>
  edges.filter((edge) => nodes.get(edge.from).x < cutBefore(column) && nodes.get(edge.to).x > cutBefore(column)).length);

// Chooses cuts between columns: about even, and where few edges cross.
function cutBetween(columns, crossed, rows) {
  const start = columns[0].left;
  const length = (columns[columns.length - 1].right - start) / rows;
  const cuts = [];
  for (let row = 1; row < rows; row += 1) {
    const even = start + row * length;
    let best = null;
    for (let i = 1; i < columns.length; i += 1) {
      const at = cutBefore(columns[i]);
      if (cuts.length && at <= cuts[cuts.length - 1]) continue;
      const cost = Math.abs(at - even) / length + 0.06 * crossed[i];
      if (!best || cost < best.cost) best = { at, cost };
    }
    if (best) cuts.push(best.at);
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
