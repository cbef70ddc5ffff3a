// Draws pseudorandom numbers that are the same on every visit.

// Returns a function that draws from [0, 1): a linear congruential generator.
/** @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => { state = (1664525 * state + 1013904223) % 4294967296; return state / 4294967296; };
}
