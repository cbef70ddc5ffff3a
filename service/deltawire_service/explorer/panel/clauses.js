// Cuts formulas in LaTeX where their parts end, and writes sums over single places out.

const TERMS = 6; // of a sum that is written out, at most

// Returns the parts of a text between separators outside all brackets. `separator`: a sticky expression.
function parts(tex, separator) {
  const found = [];
  let depth = 0, begin = 0;
  for (let at = 0; at < tex.length; at += 1) {
    if ("([{".includes(tex[at])) depth += 1;
    else if (")]}".includes(tex[at])) depth -= 1;
    separator.lastIndex = at;
    const match = depth === 0 && separator.exec(tex);
    if (match) {
      found.push(tex.slice(begin, at));
      begin = at + match[0].length;
      at = begin - 1;
    }
  }
  return [...found, tex.slice(begin)];
}

const sides = (tex) => parts(tex, / = /y);

// The left side of an equation; its own = signs, as in [x = 1], cut nothing.
export const leftSide = (tex) => sides(tex)[0];

// Returns the formula itself, and the definitions behind it of symbols that it uses: "a b, \quad b = c" has one.
export function clausesOf(formula) {
  const [first, ...others] = parts(formula, /,\s*\\(?:quad|;|,)\s*/y);
  return others.length && others.every((one) => sides(one).length > 1) ? [first, ...others] : [formula];
}

// Writes out "\sum_i f({x}_i)" of a few places; null where that is not the formula or they are too many. `arrays`: {numbers, shape}
// by placeholder. `write`: writes numbers as LaTeX. A single number is its own only place.
export function writtenOut(formula, arrays, write) {
  const [, index, body] = /^(?:\\textstyle)?\\sum_\{?(\w)\}? (.*)$/.exec(formula) ?? [];
  if (!body) return null;
  const place = new RegExp(`\\{(\\w+)\\}_${index}(?!\\w)`, "g");
  const used = [...body.matchAll(place)].map(([, name]) => arrays[name]);
  if (!used.length || used.some((one) => !one?.numbers && one?.numbers !== 0)) return null;
  if (/\{\w+\}/.test(body.replace(place, "").replace(/\\\w+\{\w+\}/g, "")) || body.replace(place, "").includes(`_${index}`)) return null;
  const single = used.some((one) => one.shape.length === 0);
  const count = single ? 1 : used[0].shape[0];
  if (count > TERMS || (!single && used.some((one) => one.shape[0] !== count))) return null;
  const term = (k) => body.replace(place, (_, name) => {
    const { numbers, shape } = arrays[name];
    return `{${single ? write(numbers, shape) : write(numbers[k], shape.slice(1))}}`;
  });
  const terms = Array.from({ length: count }, (_, k) => term(k));
  const sum = parts(body, / [+-] /y).length > 1 && count > 1;
  return terms.map((one) => (sum ? `(${one})` : one)).join(" + ");
}
