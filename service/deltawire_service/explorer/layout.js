// Where everything stands: dagre's ranks and ways, kept in the spec's order, long networks in rows like text.
import dagre from "./vendor/dagre.js";

const GUTTER = 44;
const labelSize = (place) => ({ width: place.shape.length ? 74 : 46, height: 18 });

export function sizeOf(place) {
  const chars = Math.max(place.name.length, Math.round((place.kind ?? "input").length * 0.8));
  const array = place.shape.length > 0;
  return { width: Math.min(190, Math.max(array ? 112 : 66, 9 * chars + 18)), height: array ? 136 : 88 };
}

// {nodes: name -> {x, y, width, height}, edges: id -> {path, label, jump}, width, height}; x, y are centres.
export function layout(places, edges, down, view) {
  const order = new Map([...places.keys()].map((name, index) => [name, index]));
  let best = null;
  for (const plain of [false, true]) {
    const drawn = run(places, edges, down, plain);
    for (const mirrored of [false, true]) {
      const candidate = mirrored ? mirror(drawn) : drawn;
      const score = [crossings(candidate, edges), disorder(candidate, edges, order)];
      if (!best || score[0] < best.score[0] || (score[0] === best.score[0] && score[1] < best.score[1])) {
        best = { candidate, score };
      }
    }
  }
  return down ? turned(stacked(best.candidate, edges, { width: 1e9, height: 1 }, 1)) : wrapped(best.candidate, edges, view);
}

// Everything left to right; for a drawing from top to bottom, x and y are swapped at the end.
function run(places, edges, down, plain) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 22, edgesep: 14, ranksep: 30, ranker: "network-simplex" });
  for (const [name, place] of places) {
    const { width, height } = sizeOf(place);
    graph.setNode(name, down ? { width: height, height: width } : { width, height });
  }
  for (const edge of edges) {
    const label = labelSize(places.get(edge.from));
    graph.setEdge(edge.from, edge.to, { ...(down ? { width: label.height, height: label.width } : label), labelpos: "c" }, edge.id);
  }
  dagre.layout(graph, { disableOptimalOrderHeuristic: plain });
  const nodes = new Map([...places.keys()].map((name) => [name, { ...graph.node(name) }]));
  const ways = new Map(edges.map((edge) => [edge.id, copied(graph.edge(edge.from, edge.to, edge.id))]));
  return { nodes, ways };
}

const copied = ({ points, x, y }) => ({ points: points.map((point) => ({ ...point })), label: { x, y } });

function mirror({ nodes, ways }) {
  const flip = (point) => ({ ...point, y: -point.y });
  return {
    nodes: new Map([...nodes].map(([name, node]) => [name, flip(node)])),
    ways: new Map([...ways].map(([id, way]) => [id, { points: way.points.map(flip), label: flip(way.label) }])),
  };
}

function crossings({ nodes }, edges) {
  const lines = edges.map((edge) => [nodes.get(edge.from), nodes.get(edge.to)]);
  let count = 0;
  for (let i = 0; i < lines.length; i += 1) {
    for (let j = i + 1; j < lines.length && lines.length < 200; j += 1) {
      const [[a, b], [c, d]] = [lines[i], lines[j]];
      if (Math.abs(a.x - c.x) < 1 && Math.abs(b.x - d.x) < 1 && (a.y - c.y) * (b.y - d.y) < 0) count += 1;
    }
  }
  return count;
}

// Inputs of one node that stand in another order than it takes them; less, pairs in one rank against the spec.
function disorder({ nodes }, edges, order) {
  let count = 0;
  for (const one of edges) {
    for (const other of edges) {
      const later = one.to === other.to && one.position < other.position && one.from !== other.from;
      if (later && nodes.get(one.from).y > nodes.get(other.from).y) count += 10;
    }
  }
  const all = [...nodes];
  for (let i = 0; i < all.length; i += 1) {
    for (let j = i + 1; j < all.length; j += 1) {
      const [[one, a], [other, b]] = [all[i], all[j]];
      if (Math.abs(a.x - b.x) < 1 && (order.get(one) - order.get(other)) * (a.y - b.y) < 0) count += 1;
    }
  }
  return count;
}

// As many rows as make everything largest in the view.
function wrapped(drawing, edges, view) {
  let best = null;
  for (let rows = 1; rows <= 12; rows += 1) {
    const tried = stacked(drawing, edges, view, rows);
    if (!tried) break;
    const zoom = Math.min(1.25, view.width / tried.width, view.height / tried.height);
    if (!best || zoom > best.zoom * 1.04) best = { zoom, tried };
  }
  return best.tried;
}

function stacked({ nodes, ways }, edges, view, rows) {
  const columns = ranks(nodes);
  if (rows > columns.length) return null;
  const cuts = cutBetween(columns, edges, nodes, rows);
  const rowOf = (x) => cuts.filter((cut) => cut < x).length;
  const boxes = Array.from({ length: rows }, () => ({ left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity }));
  const widen = (row, x, y, width = 0, height = 0) => {
    const box = boxes[row];
    box.left = Math.min(box.left, x - width / 2); box.right = Math.max(box.right, x + width / 2);
    box.top = Math.min(box.top, y - height / 2); box.bottom = Math.max(box.bottom, y + height / 2);
  };
  for (const node of nodes.values()) widen(rowOf(node.x), node.x, node.y, node.width, node.height);
  for (const way of ways.values()) for (const point of way.points) widen(rowOf(point.x), point.x, point.y, 0, 10);
  const margin = rows > 1 ? GUTTER : 12;
  let top = 12;
  for (const box of boxes) { box.y = top - box.top; box.x = margin - box.left; top += box.bottom - box.top + GUTTER; }
  const width = Math.max(...boxes.map((box) => box.right - box.left)) + 2 * margin;
  const moved = (point, row = rowOf(point.x)) => ({ x: point.x + boxes[row].x, y: point.y + boxes[row].y });
  const kept = (point, row) => { // near a cut, no further out than the lanes
    const { x, y } = moved(point, row);
    return { x: Math.max(margin - 12, Math.min(width - margin + 12, x)), y };
  };

  const labelled = ({ x, y }) => ({ x: Math.max(40, Math.min(width - 40, x)), y });
  const placed = new Map([...nodes].map(([name, node]) => [name, { ...node, ...moved(node) }]));
  const drawn = new Map();
  const rankOf = (node) => columns.findIndex((column) => Math.abs(column.x - node.x) < 1);
  let lane = 0;
  for (const edge of edges) {
    const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)];
    const siblings = edges.filter((other) => other.to === edge.to).sort((a, b) => nodes.get(a.from).y - nodes.get(b.from).y);
    const spread = Math.min(12, (to.height - 56) / siblings.length);
    const offset = (siblings.indexOf(edge) - (siblings.length - 1) / 2) * spread;
    const way = ways.get(edge.id);
    const points = [
      { x: from.x + from.width / 2, y: from.y }, ...way.points.slice(1, -1), { x: to.x - to.width / 2, y: to.y + offset },
    ];
    const crossed = cuts.filter((cut) => cut > from.x && cut < to.x);
    if (crossed.length) lane = (lane + 1) % 4;
    const parts = split(points, crossed);
    const path = parts.map((part, i) => {
      const row = rowOf(part.row);
      const line = smooth(part.points.map((point) => kept(point, row)), i === 0);
      if (i === parts.length - 1) return line;
      const end = kept(part.points.at(-1), row);
      const next = kept(parts[i + 1].points[0], row + 1);
      const gap = 12 + boxes[row].bottom + boxes[row].y + lane * 6 - 4;
      return line + elbow(end, next, width - 10 - lane * 6, 10 + lane * 6, gap);
    }).join(" ");
    drawn.set(edge.id, { path, label: labelled(moved(way.label)), jump: rankOf(to) - rankOf(from) > 1 });
  }
  return { nodes: placed, edges: drawn, width, height: top - GUTTER + 12 };
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
      const cut = (columns[i - 1].right + columns[i].left) / 2;
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
  const parts = [{ points: [points[0]], row: points[0].x }];
  const left = [...cuts];
  for (let i = 1; i < points.length; i += 1) {
    const [before, after] = [points[i - 1], points[i]];
    while (left.length && left[0] < after.x) {
      const x = left.shift();
      const y = before.y + ((after.y - before.y) * (x - before.x)) / (after.x - before.x);
      parts.at(-1).points.push({ x, y });
      parts.push({ points: [{ x, y }], row: x + 0.01 });
    }
    parts.at(-1).points.push(after);
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
