// Writes numbers as terms of formulas.
import { precisely, shortly, writer } from "./numbers.js";

/** @type {import("./numbers.js").Form} */
const tex = (number, [mantissa, exponent]) => `${number < 0 ? "-" : ""}${mantissa}${exponent ? ` \\cdot 10^{${exponent}}` : ""}`;

/** @param {unknown} name */
const named = (name) => `\\text{${name}}`;

export const latex = writer(tex, precisely, named);
export const briefLatex = writer(tex, shortly, named); // as in cells

/** @param {string} text */
export const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);
