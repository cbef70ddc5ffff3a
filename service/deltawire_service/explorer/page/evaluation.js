// Keeps the document of the page and its last evaluation.
import { useRef, useState } from "../core/dom.js";
import { evaluate } from "../core/session.js";
import { useRecovery } from "./recovery.js";

/** @import { Failure } from "../core/requests.js"
 *  @import { Model } from "../core/model.js" */

/** @typedef {{ example?: number, origin?: any, renew?: boolean, tentative?: boolean, then?: (model: Model) => void, accepted?: () => void }} Options */

// Returns {evaluation, latest, failure, show, fail, dismiss}. `evaluation`: the last that succeeded, with `origin`, {name, changed}: the
// example that it is or was, and whether it was changed. `latest`: the document to change next, whose answer may be to come.
export function useEvaluation(layers) {
  const [evaluation, setEvaluation] = useState(null);
  const [latest, setLatest] = useState(null);
  const { failure, attempt, fail, dismiss } = useRecovery();
  const valid = useRef(null);

  // Evaluates a document, or what a function loads, and shows it, unless a newer one comes; `then` is called with its model, and `accepted` behind it.
  // Sliders change a document further before its answer comes; a `tentative` one only when it succeeds. What is refused
  // is never changed further. Returns the Failure, or null.
  /** @type {(given: any, options?: Options) => Promise<Failure | null>} */
  const show = async (given, { example = evaluation?.row ?? 0, origin = evaluation?.origin, renew = false, tentative = false, then, accepted } = {}) => {
    const loads = typeof given === "function";
    if (!tentative && !loads) setLatest(given);
    const error = await attempt(async (outdated) => {
      const next = await evaluate(loads ? await given() : given, example, layers, renew, outdated);
      if (!next || outdated()) return;
      valid.current = next.document;
      setLatest(next.document);
      setEvaluation({ ...next, origin });
      then?.(next.model);
      accepted?.();
    });
    if (error && !error.passing) setLatest((old) => (old === given ? valid.current : old));
    return error;
  };
  return { evaluation, latest, failure, show, fail, dismiss: () => { dismiss(); setLatest(valid.current); } };
}
