// Keeps the badges of the gradient check, which are those of one model.
import { useState } from "../core/dom.js";

/** @import { Model } from "../core/model.js" */

const NONE = new Map();

// Returns the badges of a model, and what sets {model, badges}.
/** @param {Model | undefined} model */
export function useBadges(model) {
  const [checked, setChecked] = useState({ model: null, badges: NONE });
  return [model && checked.model === model ? checked.badges : NONE, setChecked];
}
