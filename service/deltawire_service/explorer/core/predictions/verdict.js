// Judges a number that a reader has predicted, and names the mistake that it shows.

/** @import { Question } from "./questions.js" */

const NEAR = 0.01, CLOSE = 0.1; // of the number
const DIGITS = 2; // that must be right

/** @typedef {{ grade: "right" | "close" | "wrong", mistake: string | null }} Verdict */

// Tells whether a number is another one to two digits: they are rounded to the same, or lie just on both sides of a border.
export function agrees(guess, truth) {
  return guess.toPrecision(DIGITS) === truth.toPrecision(DIGITS) || Math.abs(guess - truth) <= NEAR * Math.abs(truth);
}

// Returns {grade, mistake}. `mistake`: "sign", or the name of what was taken for the number, or null.
/** @param {Question} question @param {number} guess @returns {Verdict} */
export function verdictOn({ truth, mistakes }, guess) {
  if (agrees(guess, truth)) return { grade: "right", mistake: null };
  const wrong = (mistake) => /** @type {Verdict} */ ({ grade: "wrong", mistake });
  if (agrees(-guess, truth)) return wrong("sign");
  const taken = mistakes.find(([, number]) => agrees(guess, number) && !agrees(number, truth));
  if (taken) return wrong(taken[0]);
  if (Math.abs(guess - truth) <= CLOSE * Math.abs(truth)) return { grade: "close", mistake: null };
  return wrong(null);
}

// Reads a number as people write it, with either minus and with a comma or a point; NaN where there is none.
export function readNumber(text) {
  const written = text.trim().replace("−", "-").replace(",", ".");
  return written === "" ? NaN : Number(written);
}
