// Reads a batch from text: JSON, or a table (CSV, TSV) with a row for each example.
import { sizeOf } from "../core/arrays.js";
import { isLost, lossIn } from "../core/files/losses.js";
import { lineOfError } from "./pointers.js";

// `key` and `values` describe the fault for the translator.
export class Unreadable extends Error {
  constructor(key, ...values) {
    super(key);
    this.values = values;
  }
}

// The inputs that have a row for each example, with their sizes.
const batchedOf = (inputs) =>
  Object.entries(inputs).filter(([, spec]) => !spec.shared).map(([name, { shape }]) => ({ name, shape, size: sizeOf(shape) }));

/** @param {{ shape: number[], [other: string]: any }} props */
const indexed = ({ name, size, shape }) => (shape.length ? Array.from({ length: size }, (_, i) => `${name}[${i}]`) : [name]);

// The header that a table may have: x[0], x[1], …, y.
export const columnsOf = (inputs) => batchedOf(inputs).flatMap(indexed);

export function readBatch(text, inputs) {
  if (!text.trim()) throw new Unreadable("batchEmpty");
  return /^\s*[[{]/.test(text) ? fromJson(text, inputs) : fromTable(text, inputs);
}

// Takes inputs with their batches, a whole request, or a list with an object for each example.
function fromJson(text, inputs) {
  let parsed;
  try { parsed = JSON.parse(text); } catch (error) { throw new Unreadable("batchJson", lineOfError(text, error), /** @type {SyntaxError} */ (error).message); }
  const loss = lossIn(text);
  if (loss) throw new Unreadable(`failed_${loss.code}`, loss);
  if (!Array.isArray(parsed)) return parsed.data ?? parsed;
  return Object.fromEntries(batchedOf(inputs).map(({ name }) => [name, parsed.map((example, i) => {
    if (example?.[name] === undefined) throw new Unreadable("batchMissing", i + 1, name);
    return example[name];
  })]));
}

function fromTable(text, inputs) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).map((line, i) => ({ number: i + 1, line })).filter(({ line }) => line.trim());
  const separator = ["\t", ";", ","].find((one) => lines[0].line.includes(one)) ?? ",";
  // Where ; separates the columns, a comma may be a decimal point.
  const numeric = (cell) => (cell === "" ? NaN : Number(separator === ";" ? cell.replace(",", ".") : cell));
  const rows = lines.map(({ number, line }) => ({ number, cells: cellsOf(line, separator) }));
  const headed = rows[0].cells.some((cell) => Number.isNaN(numeric(cell)));
  const batched = batchedOf(inputs);
  const columns = columnsBy(headed ? rows[0].cells : null, batched, rows[0]);
  const used = new Set([...columns.values()].flat());
  const examples = (headed ? rows.slice(1) : rows).map(({ number: line, cells }) => {
    if (cells.length !== rows[0].cells.length) throw new Unreadable("batchColumns", line, rows[0].cells.length, cells.length);
    return cells.map((cell, column) => {
      const number = numeric(cell);
      if (!Number.isFinite(number) && used.has(column)) throw new Unreadable("batchNumber", line, column + 1, cell);
      if (isLost(cell) && used.has(column)) throw new Unreadable("batchExact", line, column + 1, cell);
      return number;
    });
  });
  if (!examples.length) throw new Unreadable("batchEmpty");
  return Object.fromEntries(batched.map(({ name, shape }) =>
    [name, examples.map((row) => shaped(columns.get(name).map((column) => row[column]), shape))]));
}

// Splits a line into cells. Quotes keep a separator in a cell, and "" inside them is one quote.
function cellsOf(line, separator) {
  const cells = [];
  let cell = "", quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] === '"' && quoted && line[i + 1] === '"') { cell += '"'; i += 1; }
    else if (line[i] === '"') quoted = !quoted;
    else if (line[i] === separator && !quoted) { cells.push(cell.trim()); cell = ""; }
    else cell += line[i];
  }
  return [...cells, cell.trim()];
}

const listed = (names) => names.slice(0, 6).join(", ") + (names.length > 6 ? ", …" : "");

// Returns the columns of each input: by name where the header has all names, in order where it has none of them or there
// is no header. A header with some of the names is a mistake.
function columnsBy(header, batched, { number: line, cells: { length: count } }) {
  const expected = batched.flatMap(indexed);
  const total = expected.length;
  const missing = expected.filter((name) => header && !header.includes(name));
  if (missing.length && (count !== total || missing.length < total)) {
    throw new Unreadable("batchNames", listed(header.filter((name) => !expected.includes(name))), listed(missing));
  }
  if (header && !missing.length) return new Map(batched.map((input) => [input.name, indexed(input).map((name) => header.indexOf(name))]));
  if (count !== total) throw new Unreadable("batchHead", line, total, listed(expected), count);
  let next = 0;
  return new Map(batched.map(({ name, size }) => [name, Array.from({ length: size }, () => next++)]));
}

/** @param {number[]} shape */
function shaped(numbers, shape) {
  if (!shape.length) return numbers[0];
  const part = numbers.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => shaped(numbers.slice(i * part, (i + 1) * part), shape.slice(1)));
}
