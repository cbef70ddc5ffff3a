// Computes with nested arrays of numbers.

export const flat = (numbers) => (Array.isArray(numbers) ? numbers.flat(Infinity) : [numbers]);

export const largest = (numbers) => flat(numbers).reduce((most, number) => Math.max(most, Math.abs(number)), 0);

export const norm = (numbers) => Math.sqrt(flat(numbers).reduce((sum, x) => sum + x * x, 0));

export function plus(a, b) {
  return Array.isArray(a) ? a.map((part, i) => plus(part, b[i])) : a + b;
}

export function minus(a, b, scale = 1) {
  return Array.isArray(a) ? a.map((part, i) => minus(part, b[i], scale)) : a - scale * b;
}

// Returns an array in the form in which the service traces it.
export function summary(numbers, shape) {
  let [min, max, square] = [Infinity, -Infinity, 0];
  for (const number of flat(numbers)) {
    min = Math.min(min, number);
    max = Math.max(max, number);
    square += number * number;
  }
  return { numbers, shape, min, max, norm: Math.sqrt(square) };
}

export const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
