// Keeps which red numbers are hidden, what the reader predicted, and the score, until the page is closed.
import { useMemo, useState } from "../core/dom.js";
import { concealed, questionsAt } from "../core/predictions/questions.js";
import { verdictOn } from "../core/predictions/verdict.js";

/** @import { Model } from "../core/model.js"
 *  @import { Question } from "../core/predictions/questions.js" */

const NONE = /** @type {Set<string>} */ (new Set());
const SECTIONS = { sent: "sends", gradient: "gradient", delta: "arriving" };

// Returns `on`, the mode; `seen`, the model without what is hidden; `questions`, those of the place that are open, about the
// `section` first; `begun`, whether one of its questions was answered; `last`, the answer {question, guess, grade, mistake}
// given last; the `score`; and what changes them. New numbers are hidden anew.
/** @param {Model | undefined} model */
export function usePredictions(model, name, step, section) {
  const [{ on, of, revealed, last, score }, set] = useState(/** @type {any} */ ({ on: false, of: null, revealed: NONE, last: null, score: { right: 0, close: 0, wrong: 0 } }));
  const known = of === model ? revealed : NONE;
  const seen = useMemo(() => (on && model ? concealed(model, known) : model), [on, model, known]);
  const all = on && model ? questionsAt(model, name, step) : [];
  const questions = all.filter((one) => one.reveals.some((key) => seen?.hidden.has(key)));
  questions.sort((one, other) => Number(SECTIONS[other.what] === section) - Number(SECTIONS[one.what] === section));
  /** @param {Question} question */
  const reveal = (question, answer, counted) => set((old) => ({
    ...old, of: model, revealed: new Set([...known, ...question.reveals]), last: { question, ...answer }, score: counted ? { ...old.score, [counted]: old.score[counted] + 1 } : old.score,
  }));
  return {
    on, seen, questions, score, begun: all.length > questions.length, last: of === model && last?.question.name === name ? last : null,
    toggle: () => set((old) => ({ ...old, on: !old.on, of: null, revealed: NONE, last: null })),
    answer: (question, guess) => { const verdict = verdictOn(question, guess); reveal(question, { guess, ...verdict }, verdict.grade); },
    show: (question) => reveal(question, { guess: null, grade: "shown", mistake: null }, null),
  };
}
