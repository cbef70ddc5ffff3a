// Writes numbers of things, bytes and times for people to read.

export const counted = (number) => number.toLocaleString("en");

const BYTES = ["B", "kB", "MB", "GB", "TB"];

export function bytes(number) {
  const power = number < 1000 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log10(number) / 3));
  const size = number / 1000 ** power;
  return `${power && size < 100 ? size.toPrecision(2) : size.toFixed(0)} ${BYTES[power]}`;
}

/** @type {any[]} */
const UNITS = [["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]];

// Writes seconds with their two largest units.
export function duration(seconds, t) {
  const whole = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first < 0) return t("moment");
  const parts = UNITS.slice(first, first + 2).map(([unit, size], i) => [unit, i ? Math.floor((whole % UNITS[first][1]) / size) : Math.floor(whole / size)]);
  return parts.filter(([, count]) => count).map(([unit, count]) => t(unit, count)).join(" ");
}
