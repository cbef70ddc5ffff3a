// A long network in rows, like text; from top to bottom, in columns. What leads from one row to the next runs round it.
import { larger, whole } from "./fit.js";

const GUTTER = 44; // between rows, at least
const STEP = 8; // between lines that run side by side
const AWAY = 22; // of such lines from what stands in the row: a badge has room there
const ROWS = 40;

// As many rows as make everything largest in the view; columns side by side only where none of them has to be scrolled.
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

function stacked({ nodes, ways }, edges, rows) {
  const columns = ranks(nodes);
  if (rows > columns.length) return null;
  const cuts = cutBetween(columns, edges, nodes, rows);
  if (cuts.length < rows - 1) return null;
  const rowOf = (x) => cuts.filter((cut) => cut < x).length;
  const boxes = Array.from({ length: rows }, () => ({ left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity, turns: [] }));
  const widen = ({ x, y, width = 0, height = 10 }) => {
    const box = boxes[rowOf(x)];
    box.left = Math.min(box.left, x - width / 2); box.right = Math.max(box.right, x + width / 2);
    box.top = Math.min(box.top, y - height / 2); box.bottom = Math.max(box.bottom, y + height / 2);
  };
  nodes.forEach(widen);
  const lines = edges.map((edge) => line(edge, edges, nodes, ways.get(edge.id), cuts));
  for (const { edge, parts } of lines) {
    parts.forEach((part) => part.points.forEach(widen));
    widen(ways.get(edge.id).label);
    parts.slice(0, -1).forEach((part) => boxes[rowOf(part.points[0].x)].turns.push(part));
  }
  const most = Math.max(0, ...boxes.map((box) => box.turns.length));
  const margin = rows > 1 ? 28 + STEP * most : 12;
  let top = 12;
  for (const box of boxes) {
    box.y = top - box.top; box.x = margin - box.left;
    box.turns.sort((a, b) => a.points.at(-1).y - b.points.at(-1).y);
    top += box.bottom - box.top + Math.max(GUTTER, 2 * AWAY + STEP * box.turns.length);
  }
  const width = Math.max(...boxes.map((box) => box.right - box.left)) + 2 * margin;
  const moved = (point, row = rowOf(point.x)) => ({ x: point.x + boxes[row].x, y: point.y + boxes[row].y });
  const kept = (point, row) => { // near a cut, no further out than the lanes
    const { x, y } = moved(point, row);
    return { x: Math.max(margin - 12, Math.min(width - margin + 12, x)), y };
  };
  const drawn = new Map();
  for (const { edge, parts, jump } of lines) {
    const path = parts.map((part, i) => {
      const row = rowOf(parts[0].points[0].x) + i;
      const written = smooth(part.points.map((point) => kept(point, row)), i === 0);
      if (i === parts.length - 1) return written;
      const { turns } = boxes[row];
      const lane = turns.indexOf(part); // the uppermost runs outermost, then lowest, then innermost: none crosses another
      const back = turns.length - 1 - lane;
      const gap = boxes[row].bottom + boxes[row].y + AWAY + STEP * back;
      return written + elbow(kept(part.points.at(-1), row), kept(parts[i + 1].points[0], row + 1), width - 8 - STEP * lane, 8 + STEP * back, gap);
    }).join(" ");
    drawn.set(edge.id, { path, label: moved(ways.get(edge.id).label), jump });
  }
  const placed = new Map([...nodes].map(([name, node]) => [name, { ...node, ...moved(node) }]));
  return { nodes: placed, edges: drawn, width, height: boxes.at(-1).bottom + boxes.at(-1).y + 14 };
}

// The way of an edge, in parts where rows are cut; edges into one node end beside each other.
function line(edge, edges, nodes, way, cuts) {
  const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
  const siblings = edges.filter((other) => other.to === edge.to).sort((a, b) => nodes.get(a.from).y - nodes.get(b.from).y);
  const spread = Math.min(12, (to.height - 56) / siblings.length);
  const offset = (siblings.indexOf(edge) - (siblings.length - 1) / 2) * spread;
  const points = [
    { x: from.x + from.width / 2, y: from.y }, ...way.points.slice(1, -1), { x: to.x - to.width / 2, y: to.y + offset },
  ];
  const between = [...nodes.values()].some((node) => node.x > from.x + 1 && node.x < to.x - 1);
  return { edge, parts: split(points, cuts.filter((cut) => cut > from.x && cut < to.x)), jump: between };
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

// Cuts between columns: about even, and where few edges have to cross.
function cutBetween(columns, edges, nodes, rows) {
  const start = columns[0].left;
  const length = (columns.at(-1).right - start) / rows;
  const cuts = [];
  for (let row = 1; row < rows; row += 1) {
    const wanted = start + row * length;
    let best = null;
    for (let i = 1; i < columns.length; i += 1) {
      const cut = columns[i].left - 8; // behind the labels
      if (cuts.length && cut <= cuts.at(-1)) continue;
      const crossed = edges.filter((edge) => nodes.get(edge.from).x < cut && nodes.get(edge.to).x > cut).length;
      const cost = Math.abs(cut - wanted) / length + 0.06 * crossed;
      if (!best || cost < best.cost) best = { cut, cost };
    }
    if (best) cuts.push(best.cut);
  }
  return cuts;
}

function split(points, cuts) {
  const parts = [{ points: [points[0]] }];
  const left = [...cuts];
  for (let i = 1; i < points.length; i += 1) {
    while (left.length && left[0] < points[i].x) { // what leads up or down is left to the turn
      const x = left.shift();
      parts.at(-1).points.push({ x: x - 0.01, y: points[i - 1].y });
      parts.push({ points: [{ x: x + 0.01, y: points[i].y }] });
    }
    parts.at(-1).points.push(points[i]);
  }
  return parts;
}

const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;

function smooth(points, first) {
  let path = `${first ? "M" : "L"} ${at(points[0])}`;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = (a.x + b.x) / 2;
    path += ` C ${at({ x: middle, y: a.y })} ${at({ x: middle, y: b.y })} ${at(b)}`;
  }
  return path;
}

// From the end of a row to the start of the next one, through the gutter between them.
function elbow(end, next, right, left, gap) {
  const r = 8;
  return ` L ${at({ x: right - r, y: end.y })} Q ${at({ x: right, y: end.y })} ${at({ x: right, y: end.y + r })}`
    + ` L ${at({ x: right, y: gap - r })} Q ${at({ x: right, y: gap })} ${at({ x: right - r, y: gap })}`
    + ` L ${at({ x: left + r, y: gap })} Q ${at({ x: left, y: gap })} ${at({ x: left, y: gap + r })}`
    + ` L ${at({ x: left, y: next.y - r })} Q ${at({ x: left, y: next.y })} ${at({ x: left + r, y: next.y })} L ${at(next)}`;
}

function turned(drawing) {
  const swap = (path) => path.replace(/(-?[\d.]+) (-?[\d.]+)/g, "$2 $1");
  return {
    nodes: new Map([...drawing.nodes].map(([name, node]) => [name, { x: node.y, y: node.x, width: node.height, height: node.width }])),
    edges: new Map([...drawing.edges].map(([id, { path, label, jump }]) => [id, { path: swap(path), label: { x: label.y, y: label.x }, jump }])),
    width: drawing.height, height: drawing.width,
  };
}
