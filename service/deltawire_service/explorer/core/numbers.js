// How numbers are written, and what is asked of arrays of them.

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export const raised = (power) => [...String(power)].map((c) => SUPERSCRIPT[c]).join("");

// A size as [mantissa, exponent], or as [text] where it needs no power of ten.
const power = (size, digits) => size.toExponential(digits).split("e").map((part, i) => (i ? String(Number(part)) : part));

// In pictures and cells: two decimals, as on a slide, and two digits where that would be too few; what is not whole does
// not look it.
function shortly(size) {
  if (Number.isInteger(size) && size < 1e5) return [String(size)];
  if (size >= 1e5 || size < 1e-3) return power(size, 1);
  if (size >= 100) return [size.toFixed(0)];
  if (size < 0.0995) return [size.toPrecision(2)];
  return [size.toFixed(2).endsWith(".00") ? size.toPrecision(4) : size.toFixed(2)];
}

// In explanations: so many significant digits, and none that only fill up.
function precisely(size, digits) {
  if (size === 0 || (size < 1e6 && size >= 1e-3)) return [String(Number(size.toPrecision(digits)))];
  const [mantissa, exponent] = power(size, digits - 1);
  return [String(Number(mantissa)), exponent];
}

// Where there is next to no room: one digit before a power of ten.
function briefly(size) {
  const [text, exponent] = shortly(size);
  return exponent ? power(size, 0) : [text];
}

const text = (number, [mantissa, exponent]) => `${number < 0 ? "−" : ""}${mantissa}${exponent ? `·10${raised(exponent)}` : ""}`;

const tex = (number, [mantissa, exponent]) => `${number < 0 ? "-" : ""}${mantissa}${exponent ? ` \\cdot 10^{${exponent}}` : ""}`;

// What is no number ("NaN", "Infinity") is left as it is told.
const written = (form, rounded, strange = String) => (number, digits = 4) =>
  (typeof number === "number" ? form(number, rounded(Math.abs(number), digits)) : strange(number));

export const short = written(text, shortly);
export const brief = written(text, briefly);
export const precise = written(text, precisely);
const named = (name) => `\\text{${name}}`;
export const latex = written(tex, precisely, named);
export const briefLatex = written(tex, shortly, named); // as in cells

export const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

export const flat = (numbers) => (Array.isArray(numbers) ? numbers.flat(Infinity) : [numbers]);

export const largest = (numbers) => flat(numbers).reduce((most, number) => Math.max(most, Math.abs(number)), 0);

export const norm = (numbers) => Math.sqrt(flat(numbers).reduce((sum, x) => sum + x * x, 0));

export function plus(a, b) {
  return Array.isArray(a) ? a.map((part, i) => plus(part, b[i])) : a + b;
}

export function minus(a, b, scale = 1) {
  return Array.isArray(a) ? a.map((part, i) => minus(part, b[i], scale)) : a - scale * b;
}

export const times = (shape) => (shape.length ? shape.join("×") : "");
