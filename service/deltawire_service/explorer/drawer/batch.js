// A batch from a text: JSON, or a table (CSV, TSV) as spreadsheets have it, a row for each example.
import { lineOfError } from "./pointers.js";

// `key` and `values`: what is wrong, for the translator.
export class Unreadable extends Error {
  constructor(key, ...values) {
    super(key);
    this.values = values;
  }
}

const sizeOf = ({ shape }) => shape.reduce((a, b) => a * b, 1);

// The inputs that have a row for each example, with their sizes.
const slotsOf = (inputs) =>
  Object.entries(inputs).filter(([, slot]) => !slot.shared).map(([name, slot]) => ({ name, shape: slot.shape, size: sizeOf(slot) }));

const indexed = ({ name, size, shape }) => (shape.length ? Array.from({ length: size }, (_, i) => `${name}[${i}]`) : [name]);

// The head a table may have: x[0], x[1], …, y.
export const columnsOf = (inputs) => slotsOf(inputs).flatMap(indexed);

// input -> batch
export function readBatch(text, inputs) {
  if (!text.trim()) throw new Unreadable("batchEmpty");
  return /^\s*[[{]/.test(text) ? fromJson(text, inputs) : fromTable(text, inputs);
}

// Inputs and their batches, a whole request, or a list with an object for each example.
function fromJson(text, inputs) {
  let read;
  try { read = JSON.parse(text); } catch (error) { throw new Unreadable("batchJson", lineOfError(text, error), error.message); }
  if (!Array.isArray(read)) return read.data ?? read;
  return Object.fromEntries(slotsOf(inputs).map(({ name }) => [name, read.map((example, i) => {
    if (example?.[name] === undefined) throw new Unreadable("batchMissing", i + 1, name);
    return example[name];
  })]));
}

function fromTable(text, inputs) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).map((line, i) => ({ number: i + 1, line })).filter(({ line }) => line.trim());
  const by = ["\t", ";", ","].find((mark) => lines[0].line.includes(mark)) ?? ",";
  // Where ; parts the columns, a comma may be a decimal point.
  const numeric = (cell) => (cell === "" ? NaN : Number(by === ";" ? cell.replace(",", ".") : cell));
  const rows = lines.map(({ number, line }) => ({ number, cells: cellsOf(line, by) }));
  const headed = rows[0].cells.some((cell) => Number.isNaN(numeric(cell)));
  const slots = slotsOf(inputs);
  const places = placesOf(headed ? rows[0].cells : null, slots, rows[0]);
  const examples = (headed ? rows.slice(1) : rows).map(({ number, cells }) => {
    if (cells.length !== rows[0].cells.length) throw new Unreadable("batchColumns", number, rows[0].cells.length, cells.length);
    return cells.map((cell, column) => {
      const found = numeric(cell);
      if (!Number.isFinite(found) && places.used.has(column)) throw new Unreadable("batchNumber", number, column + 1, cell);
      return found;
    });
  });
  if (!examples.length) throw new Unreadable("batchEmpty");
  return Object.fromEntries(slots.map(({ name, shape }) =>
    [name, examples.map((row) => shaped(places.of.get(name).map((column) => row[column]), shape))]));
}

// Cells of a line; "…" keeps what parts them, and "" in it is one ".
function cellsOf(line, by) {
  const cells = [];
  let cell = "", quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === '"' && quoted && line[i + 1] === '"') { cell += '"'; i += 1; }
    else if (line[i] === '"') quoted = !quoted;
    else if (line[i] === by && !quoted) { cells.push(cell.trim()); cell = ""; }
    else cell += line[i];
  }
  return [...cells, cell.trim()];
}

const listed = (names) => names.slice(0, 6).join(", ") + (names.length > 6 ? ", …" : "");

// Of each input its columns: by their names where the head has them all, in the order of the inputs where it has none of
// them, and as many. A head with some of the names is a mistake.
function placesOf(head, slots, { number, cells: { length: count } }) {
  const named = new Map(slots.map((slot) => [slot.name, indexed(slot).map((name) => (head ?? []).indexOf(name))]));
  const total = slots.reduce((sum, { size }) => sum + size, 0);
  let of = named;
  const wanted = slots.flatMap(indexed);
  const missing = wanted.filter((name) => head && !head.includes(name));
  if (missing.length && (count !== total || missing.length < total)) {
    throw new Unreadable("batchNames", listed(head.filter((name) => !wanted.includes(name))), listed(missing));
  }
  if (!head || missing.length) {
    if (count !== total) throw new Unreadable("batchHead", number, total, listed(wanted), count);
    let next = 0;
    of = new Map(slots.map(({ name, size }) => [name, Array.from({ length: size }, () => next++)]));
  }
  return { of, used: new Set([...of.values()].flat()) };
}

function shaped(numbers, shape) {
  if (!shape.length) return numbers[0];
  const part = numbers.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => shaped(numbers.slice(i * part, (i + 1) * part), shape.slice(1)));
}
