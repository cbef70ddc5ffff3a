// Finds what JSON.parse loses in silence: integers that no number here is, numbers too large for any, names that come twice.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const INTEGER = /^[-+]?\d+$/;
const LARGEST = 2 ** 64; // of an integer of the service; beyond it, digits alone are a float

/** @typedef {{ code: "file_exact" | "file_twice", pointer: string, name: string, number?: string }} Loss */
/** @typedef {{ names: Set<string> | null, named: boolean, at: string | number }} Around */

// Tells whether a number as it is written is another one here. What a page writes itself is read as the same again.
/** @param {string} text */
export function isLost(text) {
  const number = Number(text);
  if (!INTEGER.test(text)) return Math.abs(number) === Infinity;
  return !Number.isSafeInteger(number) && Math.abs(number) <= LARGEST && text.replace("+", "") !== String(number);
}

// Returns the first loss in a text that is JSON, or null. `name`: the place, such as data/y/0.
/** @param {string} text @returns {Loss | null} */
export function lossIn(text) {
  /** @type {Around[]} */
  const around = []; // the objects and lists that are open
  /** @type {(code: Loss["code"], number?: string) => Loss} */
  const loss = (code, number) => {
    const path = around.map(({ at }) => String(at));
    const pointer = path.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    return { code, pointer, name: path.join("/"), number };
  };
  for (const [token] of text.matchAll(TOKEN)) {
    const inner = around.at(-1);
    if (token === "{" || token === "[") around.push({ names: token === "{" ? new Set() : null, named: false, at: token === "{" ? "" : 0 });
    else if (token === "}" || token === "]") around.pop();
    else if (token === "," && inner) {
      inner.named = false;
      if (!inner.names) inner.at = Number(inner.at) + 1;
    } else if (inner?.names && !inner.named && token !== ":") {
      const name = JSON.parse(token);
      Object.assign(inner, { at: name, named: true });
      if (inner.names.has(name)) return loss("file_twice");
      inner.names.add(name);
    } else if (/^[-\d]/.test(token) && isLost(token)) return loss("file_exact", token);
  }
  return null;
}
