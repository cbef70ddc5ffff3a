// Keeps what the visitor chose beyond this page, where the browser stores it.

// Returns a stored choice, or null where it is none of `choices`.
export function remembered(key, choices) {
  try {
    const stored = localStorage.getItem(`deltawire.${key}`);
    return choices.includes(stored) ? stored : null;
  } catch { // storage is switched off
    return null;
  }
}

export function remember(key, choice) {
  try { localStorage.setItem(`deltawire.${key}`, choice); } catch { /* storage is switched off */ }
}
