// Writes numbers and shapes for people to read.

// A size as its mantissa, and the power of ten where it needs one.
/** @typedef {string[]} Rounded */
/** @typedef {(number: number, rounded: Rounded) => string} Form */

/** @type {Record<string, string>} */
const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** @param {string | number} power */
export const raised = (power) => [...String(power)].map((c) => SUPERSCRIPT[c]).join("");

// A size as [mantissa, exponent]. The functions below return the same, or [text] where no power of ten is needed.
/** @type {(size: number, digits: number) => Rounded} */
const power = (size, digits) => size.toExponential(digits).split("e").map((part, i) => (i ? String(Number(part)) : part));

// For pictures and cells: two decimals, or two digits where decimals are too few. Only integers look like integers.
/** @param {number} size @returns {Rounded} */
export function shortly(size) {
  if (Number.isInteger(size) && size < 1e5) return [String(size)];
  if (size >= 1e5 || size < 1e-3) return power(size, 1);
  if (size >= 100) return [size.toFixed(0)];
  if (size < 0.0995) return [size.toPrecision(2)];
  return [size.toFixed(2).endsWith(".00") ? size.toPrecision(4) : size.toFixed(2)];
}

// For explanations: as many significant digits, without trailing zeros.
/** @param {number} size @param {number} digits @returns {Rounded} */
export function precisely(size, digits) {
  if (size === 0 || (size < 1e6 && size >= 1e-3)) return [String(Number(size.toPrecision(digits)))];
  const [mantissa, exponent] = power(size, digits - 1);
  return [String(Number(mantissa)), exponent];
}

// For the least room: one digit before a power of ten.
/** @param {number} size @returns {Rounded} */
function briefly(size) {
  const [text, exponent] = shortly(size);
  return exponent ? power(size, 0) : [text];
}

/** @type {Form} */
const text = (number, [mantissa, exponent]) => `${number < 0 ? "−" : ""}${mantissa}${exponent ? `·10${raised(exponent)}` : ""}`;

// `other` writes what the service sends instead of a number ("NaN", "Infinity").
/** @type {(form: Form, rounded: (size: number, digits: number) => Rounded, other?: (value: unknown) => string) => (number: unknown, digits?: number) => string} */
export const writer = (form, rounded, other = (value) => String(value)) => (number, digits = 4) =>
  (typeof number === "number" ? form(number, rounded(Math.abs(number), digits)) : other(number));

export const short = writer(text, shortly);
export const brief = writer(text, briefly);
export const precise = writer(text, precisely);
