// Maps numbers to pixels, linearly or by their logarithm, and chooses the ticks of an axis.

// Returns the least and the largest number of several arrays; null without any. `log`: only what is above 0 counts.
/** @returns {any} */
export function extentOf(arrays, log = false) {
  let [low, high] = [Infinity, -Infinity];
  for (const numbers of arrays) {
    for (const number of numbers) {
      if (!Number.isFinite(number) || (log && number <= 0)) continue;
      if (number < low) low = number;
      if (number > high) high = number;
    }
  }
  return low > high ? null : [low, high];
}

const ROOM = 0.05; // of the axis, above and below the curves

// Widens an extent so that no curve runs along the border, and one number alone has a place.
/** @returns {any} */
export function padded([low, high], log = false) {
  if (log) {
    const margin = high > low ? (high / low) ** ROOM : 2;
    return [low / margin, high * margin];
  }
  const margin = high > low ? ROOM * (high - low) : Math.abs(low) / 2 || 1;
  return [low - margin, high + margin];
}

// Returns a function from a number to its pixel; NaN for what a log scale has no place for.
export function scaleOf([low, high], [from, to], log = false) {
  const place = log ? (number) => (number > 0 ? Math.log(number) : NaN) : (number) => number;
  const [start, end] = [place(low), place(high)];
  return (number) => from + ((place(number) - start) / (end - start || 1)) * (to - from);
}

// Returns at most `most` round numbers within an extent.
export function ticksOf([low, high], most, { log = false, whole = false } = {}) {
  if (log && high / low >= 10) return powersOf(low, high, most);
  const raw = Math.max((high - low) / most, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw * (1 - 1e-9)) ?? raw;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const FACTORS = [[1, 2, 5], [1, 3], [1]];

// Powers of ten, with others between where there is room, and every few of them where they are many.
function powersOf(low, high, most) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high) + 1e-9)];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const within = (numbers) => numbers.filter((number) => number >= low && number <= high);
  const fine = FACTORS.map((factors) => within(powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))));
  const every = Math.ceil(fine[fine.length - 1].length / most);
  return fine.find((ticks) => ticks.length <= most) ?? fine[fine.length - 1].filter((_, i) => i % every === 0);
}

const LOW = 0.01; // of a linear axis, where nothing can be told apart

// Tells whether more than half of the numbers would lie at the bottom of a linear axis. A log scale has no place for numbers
// that are not above 0, so there must be none.
export function needsLog(arrays) {
  const numbers = arrays.flat().filter(Number.isFinite);
  const high = numbers.reduce((a, b) => Math.max(a, b), 0);
  return numbers.every((number) => number > 0) && 2 * numbers.filter((number) => number < LOW * high).length > numbers.length;
}
