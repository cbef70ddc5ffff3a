// Keeps what the visitor chose beyond this page, where the browser stores it.

// Returns a stored choice, or null where it is none of `choices`.
/** @template {string} T @param {string} key @param {readonly T[]} choices @returns {T | null} */
export function remembered(key, choices) {
  try {
    const stored = localStorage.getItem(`deltawire.${key}`);
    return choices.find((choice) => choice === stored) ?? null;
  } catch { // storage is switched off
    return null;
  }
}

/** @param {string} key @param {string} choice */
export function remember(key, choice) {
  try { localStorage.setItem(`deltawire.${key}`, choice); } catch { /* storage is switched off */ }
}
