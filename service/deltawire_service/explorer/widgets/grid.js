// Arranges the numbers of an array as rows and columns.
import { flat } from "../core/arrays.js";

const LONGEST = 16; // numbers of a vector in one row

// Leading axes stand one below the other; a long vector is cut into rows.
/** @param {number[]} shape */
export function rowsOf(numbers, shape) {
  const all = flat(numbers);
  const square = all.length > LONGEST ? Math.ceil(Math.sqrt(all.length)) : all.length || 1;
  const columns = shape.length > 1 ? shape[shape.length - 1] : square;
  const rows = [];
  for (let i = 0; i < all.length; i += columns) rows.push(all.slice(i, i + columns));
  return rows;
}

// At most `most` rows and columns: each number is the largest in size of its block.
export function pooled(rows, most) {
  const [high, wide] = [Math.ceil(rows.length / most), Math.ceil(rows[0].length / most)];
  if (high === 1 && wide === 1) return rows;
  const blocks = [];
  for (let i = 0; i < rows.length; i += high) {
    const line = [];
    for (let j = 0; j < rows[0].length; j += wide) {
      const block = rows.slice(i, i + high).flatMap((row) => row.slice(j, j + wide));
      line.push(block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0));
    }
    blocks.push(line);
  }
  return blocks;
}
