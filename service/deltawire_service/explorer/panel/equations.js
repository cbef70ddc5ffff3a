// A layer's own LaTeX, first with the names of this node, then with its numbers.
import { html, useEffect, useRef } from "../core/dom.js";
import { briefLatex, latex, times } from "../core/numbers.js";

// Set as elements, not as text: the page's policy allows no style attributes in markup. As formulas in a line, which
// KaTeX breaks where they do not fit, written as large as displayed ones. Of numbers, an = begins its line.
export function Formula({ tex, numbers, block = true }) {
  const place = useRef();
  useEffect(() => {
    const broken = numbers ? tex.replaceAll(/(^| )= /g, "\\allowbreak = \\nobreak ") : tex;
    globalThis.katex.render(block ? `\\displaystyle ${broken}` : tex, place.current, { throwOnError: false, strict: false, output: "htmlAndMathml", trust: false });
    place.current.querySelectorAll(".katex-error").forEach((error) => error.removeAttribute("title"));
  }, [tex, numbers, block]);
  return html`<span class=${`formula ${numbers ? "numbers" : ""}`} ref=${place} data-tex=${tex}></span>`;
}

// An equation: as it is, the shapes of what it speaks of, and with numbers where it says more with them.
export function Equation({ equation: { names, numbers, shapes }, known = true }) {
  return html`<${Formula} tex=${names} />${shapes && html`<small class="shapes">${shapes}</small>`}
    ${known && /\d/.test(numbers.replace(/_\{\d+\}/g, "")) && html`<${Formula} tex=${numbers} numbers />`}`;
}

// x0 → x_{0}; hidden → \text{hidden}.
export function symbol(name) {
  const indexed = /^([A-Za-z])_?(\d+)$/.exec(name);
  if (indexed) return `${indexed[1]}_{${indexed[2]}}`;
  return name.length === 1 ? name : `\\text{${name.replaceAll("_", "\\_")}}`;
}

// Only the placeholders of the contract are replaced; LaTeX keeps its own braces.
function fill(formula, symbols) {
  return formula.replace(/\{(\w+)\}/g, (found, name) => (name in symbols ? `{${symbols[name]}}` : found));
}

// a + b + … written out for as many inputs as there are.
function written(formula, count) {
  return formula.replace(/\{x0\}(.*?)\{x1\}\1\\dots/, (_, between) =>
    Array.from({ length: count }, (_, i) => `{x${i}}`).join(between));
}

const MOST = 20;

// A number, a column, or a matrix; the name where that would be too much to read.
function numeric(name, traced, matrix) {
  const { numbers, shape } = traced ?? {};
  if (numbers === undefined || numbers === null) return symbol(name);
  if (shape.length === 0) return numbers < 0 ? `(${latex(numbers)})` : latex(numbers);
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1 && size <= 6) return `\\begin{pmatrix}${numbers.map((one) => briefLatex(one)).join("\\\\")}\\end{pmatrix}`;
  if (shape.length === 2 && matrix && size <= MOST && shape[1] <= 5) {
    return `\\begin{pmatrix}${numbers.map((row) => row.map((one) => briefLatex(one)).join("&")).join("\\\\")}\\end{pmatrix}`;
  }
  return symbol(name);
}

const result = (name, traced) => (traced?.shape.length === 0 && typeof traced.numbers === "number" ? latex(traced.numbers) : numeric(name, traced));

// A formula that speaks of single places (x_i) does so of no column of numbers.
const indexed = (formula) => /\{\w+\}_/.test(formula);

// Nothing is said twice, and what comes of it only in numbers.
function equal(formula, fills, comes, name) {
  const bare = (tex) => tex.replace(/[{}()]/g, "");
  if (indexed(formula)) return `= ${comes}`;
  const made = fills.numbers(formula);
  if (comes === symbol(name)) return `= ${made}`;
  return bare(made) === bare(comes) ? `= ${comes}` : `= ${made} = ${comes}`;
}

// Parentheses as high as the matrices between them, and none around a matrix alone, which has its own.
function grown(tex) {
  if (!tex.includes("pmatrix") || tex.split("(").length !== tex.split(")").length) return tex;
  return tex.replaceAll("(", "\\left(").replaceAll(")", "\\right)")
    .replace(/\\left\((\{\\begin\{pmatrix\}(?:(?!\\begin).)*\\end\{pmatrix\}\})\\right\)/g, "$1");
}

// The symbols of a node: as names, as numbers, and the shapes of those that a formula speaks of.
function symbols(model, node, delta) {
  const names = { value: symbol(node.name), delta: `\\delta_{${symbol(node.name)}}` };
  const arrays = { value: [node.name, node.shape], delta: [`δ ${node.name}`, node.shape] };
  const numbers = { value: numeric(node.name, node.value), delta: numeric("δ", delta) };
  if (numbers.delta === symbol("δ")) numbers.delta = names.delta; // too much to read, or not known yet

  node.inputs.forEach((source, i) => {
    const place = model.places.get(source);
    names[`x${i}`] = symbol(source);
    arrays[`x${i}`] = [source, place.shape];
    numbers[`x${i}`] = numeric(source, place.value);
  });
  for (const parameter of node.parameters) {
    const array = model.params[parameter.name];
    const shape = model.parameters.find((one) => one.name === parameter.name).shape;
    names[parameter.local] = symbol(parameter.local);
    arrays[parameter.local] = [parameter.local, shape];
    numbers[parameter.local] = numeric(parameter.local, { numbers: array, shape }, true);
  }
  const scalar = node.shape.length === 0 && node.inputs.every((source) => model.places.get(source).shape.length === 0);
  const tidy = (tex) => (scalar ? tex.replaceAll("\\circ", "\\cdot") : tex);
  // Number by number, all shapes are one: it is told once, in the title.
  const told = (tex) => (node.layer?.elementwise ? [] : [...new Set(Array.from(tex.matchAll(/\{(\w+)\}/g), ([, name]) => name))]
    .filter((name) => arrays[name]?.[1].length).map((name) => `${arrays[name][0]} ${times(arrays[name][1])}`));
  return { names: (tex) => tidy(fill(tex, names)), numbers: (tex) => grown(tidy(fill(tex, numbers))), shapes: (tex) => told(tex).join(", ") };
}

// What stands for a parameter the node does not have (a bias that is switched off) is left as it is written.
const absent = (tex) => tex.replace(/\s*\+\s*\{bias\}/, "");

function prepared(formula, node) {
  const bare = node.parameters.some(({ local }) => local === "bias") ? formula : absent(formula);
  return written(bare, node.inputs.length);
}

export function valueEquation(model, node) {
  if (!node.layer?.formula) return null;
  const formula = prepared(node.layer.formula.value, node);
  const fills = symbols(model, node);
  return {
    names: `${symbol(node.name)} = ${fills.names(formula)}`,
    numbers: equal(node.shape.length ? formula.split(" = ")[0] : formula, fills, result(node.name, node.value), node.name),
    shapes: fills.shapes(formula),
  };
}

export function deltaEquation(model, node, position, delta, sent) {
  const all = node.layer?.formula?.deltas;
  const formula = all?.[Math.min(position, all.length - 1)];
  if (!formula) return null;
  const fills = symbols(model, node, delta);
  const source = symbol(node.inputs[position]);
  const own = prepared(formula, node);
  return {
    names: `\\delta_{${symbol(node.name)} \\to ${source}} = ${fills.names(own)}`, numbers: equal(own, fills, result("δ", sent), "δ"),
    shapes: fills.shapes(own),
  };
}

// What a node alone brings to a parameter's gradient: one term of it, as names and as numbers.
export function shareEquation(model, node, parameter, delta) {
  const formula = node.layer?.formula?.grads[parameter.local];
  if (!formula) return null;
  const fills = symbols(model, node, delta);
  return { names: fills.names(formula), numbers: fills.numbers(formula), shapes: fills.shapes(formula) };
}

