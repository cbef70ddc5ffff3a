// Computes with nested arrays of numbers.

// An array as the service traces it. `numbers`: nested lists, null of a large array, which has a sample instead.
/** @typedef {{ numbers: any, shape: number[], min: number, max: number, norm: number, sample?: number[] }} Traced */

/** @typedef {Nested<number>} Numbers */

/** @template T @param {Nested<T>} numbers @returns {T[]} */
export const flat = (numbers) => (Array.isArray(numbers) ? /** @type {T[]} */ (/** @type {unknown[]} */ (numbers).flat(Infinity)) : [numbers]);

/** @param {Numbers} numbers */
export const largest = (numbers) => flat(numbers).reduce((most, number) => Math.max(most, Math.abs(number)), 0);

// The flat index of the number farthest from 0.
/** @param {Numbers} numbers */
export const largestAt = (numbers) => flat(numbers).reduce((best, number, i, all) => (Math.abs(number) > Math.abs(all[best]) ? i : best), 0);

// Divides by a power of two near the largest number first: the squares of small numbers are 0, and those of large ones infinite.
/** @param {Numbers} numbers */
export function norm(numbers) {
  const all = flat(numbers);
  const most = largest(all);
  if (!(most > 0 && most < Infinity)) return most;
  const scale = 2 ** Math.floor(Math.log2(most));
  return scale * Math.sqrt(all.reduce((sum, x) => sum + (x / scale) ** 2, 0));
}

/** @param {Numbers} a @param {Numbers} b @returns {Numbers} */
export function plus(a, b) {
  return Array.isArray(a) && Array.isArray(b) ? a.map((part, i) => plus(part, b[i])) : Number(a) + Number(b);
}

/** @param {Numbers} a @param {Numbers} b @returns {Numbers} */
export function minus(a, b, scale = 1) {
  return Array.isArray(a) && Array.isArray(b) ? a.map((part, i) => minus(part, b[i], scale)) : Number(a) - scale * Number(b);
}

// Returns an array in the form in which the service traces it.
/** @param {Numbers} numbers @param {number[]} shape */
export function summary(numbers, shape) {
  let [min, max] = [Infinity, -Infinity];
  for (const number of flat(numbers)) {
    min = Math.min(min, number);
    max = Math.max(max, number);
  }
  return { numbers, shape, min, max, norm: norm(numbers) };
}

/** @param {number[]} shape */
export const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

// An array of a shape, each of its numbers drawn.
/** @template T @param {number[]} shape @param {() => T} draw @returns {Nested<T>} */
export const filled = (shape, draw) => (shape.length ? Array.from({ length: shape[0] }, () => filled(shape.slice(1), draw)) : draw());

// A shape as people write it.
/** @param {number[]} shape */
export const times = (shape) => (shape.length ? shape.join("×") : "");

// Returns a Map from each key to the list of what has it.
/** @template T @param {Iterable<T>} list @param {(one: T) => any} key @returns {Map<any, T[]>} */
export function grouped(list, key) {
  const groups = new Map();
  for (const one of list) {
    const group = groups.get(key(one));
    if (group) group.push(one);
    else groups.set(key(one), [one]);
  }
  return groups;
}
