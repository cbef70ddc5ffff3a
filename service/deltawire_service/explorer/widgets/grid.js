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

const CHANNELS = 64; // drawn apart, at most

// Returns the channels of an image, or the matrices of any array of more than two axes, as {at, numbers, shape, offset}: `at`
// its leading indices, `offset` the flat index of its first number. Other arrays, and those of too many, are one, with no `at`.
/** @param {any} numbers @param {number[]} shape */
export function channelsOf(numbers, shape) {
  const count = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  if (shape.length < 3 || count < 2 || count > CHANNELS) return [{ at: null, numbers, shape, offset: 0 }];
  const [own, all] = [shape.slice(-2), flat(numbers)];
  const size = own[0] * own[1];
  return Array.from({ length: count }, (_, channel) => {
    const at = [];
    let left = channel;
    for (const axis of shape.slice(0, -2).reverse()) { at.unshift(left % axis); left = Math.floor(left / axis); }
    return { at, numbers: all.slice(channel * size, (channel + 1) * size), shape: own, offset: channel * size };
  });
}
