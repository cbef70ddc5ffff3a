// Writes numbers as terms of formulas.
import { precisely, shortly, writer } from "./numbers.js";

const tex = (number, [mantissa, exponent]) => `${number < 0 ? "-" : ""}${mantissa}${exponent ? ` \\cdot 10^{${exponent}}` : ""}`;

const named = (name) => `\\text{${name}}`;

export const latex = writer(tex, precisely, named);
export const briefLatex = writer(tex, shortly, named); // as in cells

export const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);
