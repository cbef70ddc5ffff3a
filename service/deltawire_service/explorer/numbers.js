// How numbers are written, and what is asked of arrays of them.

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export const raised = (power) => [...String(power)].map((c) => SUPERSCRIPT[c]).join("");

const signed = (number, text) => (number < 0 ? "−" : "") + text;

function power(size, digits) {
  const [mantissa, exponent] = size.toExponential(digits).split("e");
  return [mantissa, String(Number(exponent))];
}

// For cards: two decimals, as on a slide.
export function short(number) {
  if (typeof number !== "number") return String(number);
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e5) return signed(number, String(size));
  if (size >= 1e5 || size < 0.005) {
    const [mantissa, exponent] = power(size, 1);
    return signed(number, `${mantissa}·10${raised(exponent)}`);
  }
  return signed(number, size.toFixed(size >= 100 ? 0 : 2));
}

// Where there is next to no room.
export function brief(number) {
  const text = short(number);
  return text.length > 5 && typeof number === "number" ? number.toExponential(0).replace("e+", "e").replaceAll("-", "−") : text;
}

// For explanations: four significant digits.
export function precise(number) {
  if (typeof number !== "number") return String(number);
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const [mantissa, exponent] = power(size, 3);
    return signed(number, `${Number(mantissa)}·10${raised(exponent)}`);
  }
  return signed(number, String(Number(size.toPrecision(4))));
}

export function latex(number) {
  if (typeof number !== "number") return `\\text{${number}}`;
  const size = Math.abs(number);
  let text = String(Number(size.toPrecision(4)));
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const [mantissa, exponent] = power(size, 3);
    text = `${Number(mantissa)} \\cdot 10^{${exponent}}`;
  }
  return number < 0 ? `-${text}` : text;
}

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
