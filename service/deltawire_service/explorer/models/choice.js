// Keeps which curves are chosen, each with its place among the colours.

export const TONES = ["blue", "orange", "green", "red", "accent", "quiet"]; // as many curves at once

// Returns the keys after one was chosen or left. The colours of the others stay: a key takes the first free place (null), or
// leaves its own.
export function toggled(chosen, key) {
  if (chosen.includes(key)) return chosen.map((one) => (one === key ? null : one));
  const free = chosen.indexOf(null);
  return free < 0 ? [...chosen, key] : chosen.map((one, i) => (i === free ? key : one));
}

// Returns the keys without those that are not there any more.
export const without = (chosen, missing) => chosen && chosen.map((key) => (missing.has(key) ? null : key));
