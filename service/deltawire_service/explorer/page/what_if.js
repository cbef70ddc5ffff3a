// Keeps the numbers that a change began with, and compares them with those of the page.
import { useRef, useState } from "../core/dom.js";
import { whatIf } from "../core/what_if/prediction.js";

/** @import { WhatIf } from "../core/what_if/prediction.js" */

/** @typedef {{ evaluation: any, base: any, result: WhatIf | null }} Compared */

// Tells whether an evaluation came about by no edit of the one before: another network was opened, another example was
// chosen, or a training changed the parameters.
const isAnother = (old, { origin, row, losses }) => !origin.changed || (origin.run ?? null) !== null
  || old.origin.name !== origin.name || old.origin.opened !== origin.opened || old.row !== row || old.losses.length !== losses.length;

// Returns {result, dismiss}. `result`: a WhatIf, null where there is nothing to compare. Numbers are compared with those before
// the first change, until it is dismissed: then with those of the page. What is no change of numbers is compared once.
export function useWhatIf(evaluation) {
  const kept = useRef(/** @type {Compared} */ ({ evaluation: null, base: null, result: null }));
  const [, draw] = useState(0);
  const old = kept.current;
  if (evaluation && old.evaluation !== evaluation) {
    const other = !old.base || isAnother(old.evaluation, evaluation);
    const base = other ? evaluation : old.result?.reason ? old.evaluation : old.base;
    kept.current = { evaluation, base, result: other ? null : whatIf(base, evaluation) };
  }
  const dismiss = () => {
    kept.current = { evaluation, base: evaluation, result: null };
    draw((count) => count + 1);
  };
  return { result: kept.current.result, dismiss };
}
