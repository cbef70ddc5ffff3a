// A layer's own LaTeX, first with the names of this node, then with its numbers.
import { html, useEffect, useRef } from "./dom.js";
import { latex } from "./numbers.js";

// Set as elements, not as text: the page's policy allows no style attributes in markup.
export function Formula({ tex, numbers, block = true }) {
  const place = useRef();
  useEffect(() => {
    globalThis.katex.render(tex, place.current, { displayMode: block, throwOnError: false, strict: false, output: "htmlAndMathml", trust: false });
    place.current.querySelectorAll(".katex-error").forEach((error) => error.removeAttribute("title"));
  }, [tex, block]);
  return html`<span class=${`formula ${numbers ? "numbers" : ""}`} ref=${place} data-tex=${tex}></span>`;
}

// x0 → x_{0}; hidden → \text{hidden}.
export function symbol(name) {
  const indexed = /^([A-Za-z])_?(\d+)$/.exec(name);
  if (indexed) return `${indexed[1]}_{${indexed[2]}}`;
  return name.length === 1 ? name : `\\text{${name.replaceAll("_", "\\_")}}`;
}

const shaped = (name, shape) => (shape.length ? `\\underset{${shape.join("\\times ")}}{${symbol(name)}}` : symbol(name));

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

// Two digits in arrays, more where they would make an integer of what is none: 1 − 0.9999 is not 0.
function brief(number) {
  if (typeof number !== "number") return latex(number);
  const rounded = Number(number.toPrecision(2));
  return latex(Number.isInteger(rounded) && rounded !== number ? Number(number.toPrecision(4)) : rounded);
}

// A number, a column, or a matrix; the name with its shape where that would be too much to read.
function numeric(name, traced, matrix) {
  const { numbers, shape } = traced ?? {};
  if (numbers === undefined || numbers === null) return shape ? shaped(name, shape) : symbol(name);
  if (shape.length === 0) return numbers < 0 ? `(${latex(numbers)})` : latex(numbers);
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1 && size <= 6) return `\\begin{pmatrix}${numbers.map(brief).join("\\\\")}\\end{pmatrix}`;
  if (shape.length === 2 && matrix && size <= MOST && shape[1] <= 5) {
    return `\\begin{pmatrix}${numbers.map((row) => row.map(brief).join("&")).join("\\\\")}\\end{pmatrix}`;
  }
  return shaped(name, shape);
}

const result = (name, traced) => (traced?.shape.length === 0 && typeof traced.numbers === "number" ? latex(traced.numbers) : numeric(name, traced));

// Nothing is said twice.
const equal = (made, comes) => (made.replace(/[{}()]/g, "") === comes.replace(/[{}()]/g, "") ? `= ${comes}` : `= ${made} = ${comes}`);

// Parentheses as high as the matrices between them, and none around a matrix alone, which has its own.
function grown(tex) {
  if (!tex.includes("pmatrix") || tex.split("(").length !== tex.split(")").length) return tex;
  return tex.replaceAll("(", "\\left(").replaceAll(")", "\\right)")
    .replace(/\\left\((\{\\begin\{pmatrix\}(?:(?!\\begin).)*\\end\{pmatrix\}\})\\right\)/g, "$1");
}

// The symbols of a node: as names (with shapes), and as numbers.
function symbols(model, node, delta) {
  // Number by number, all shapes are one: they are told once, in the title.
  const called = node.layer?.elementwise ? symbol : shaped;
  const names = { value: called(node.name, node.shape), delta: `\\delta_{${symbol(node.name)}}` };
  const numbers = { value: numeric(node.name, node.value), delta: delta ? numeric("δ", delta) : names.delta };
  node.inputs.forEach((source, i) => {
    const place = model.places.get(source);
    names[`x${i}`] = called(source, place.shape);
    numbers[`x${i}`] = numeric(source, place.value);
  });
  for (const parameter of node.parameters) {
    const array = model.params[parameter.name];
    const shape = model.parameters.find((one) => one.name === parameter.name).shape;
    names[parameter.local] = shaped(parameter.local, shape);
    numbers[parameter.local] = numeric(parameter.local, { numbers: array, shape }, true);
  }
  const scalar = node.shape.length === 0 && node.inputs.every((source) => model.places.get(source).shape.length === 0);
  const tidy = (tex) => (scalar ? tex.replaceAll("\\circ", "\\cdot") : tex);
  return { names: (tex) => tidy(fill(tex, names)), numbers: (tex) => grown(tidy(fill(tex, numbers))) };
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
    numbers: equal(fills.numbers(node.shape.length ? formula.split(" = ")[0] : formula), result(node.name, node.value)),
  };
}

export function deltaEquation(model, node, position, delta, sent) {
  const all = node.layer?.formula?.deltas;
  const formula = all?.[Math.min(position, all.length - 1)];
  if (!formula) return null;
  const fills = symbols(model, node, delta);
  const source = symbol(node.inputs[position]);
  const [names, numbers] = [fills.names(prepared(formula, node)), fills.numbers(prepared(formula, node))];
  return { names: `\\delta_{${symbol(node.name)} \\to ${source}} = ${names}`, numbers: equal(numbers, result("δ", sent)) };
}

// What a node alone brings to a parameter's gradient: one term of it, as names and as numbers.
export function shareEquation(model, node, parameter, delta) {
  const formula = node.layer?.formula?.grads[parameter.local];
  if (!formula) return null;
  const fills = symbols(model, node, delta);
  return { names: fills.names(formula), numbers: fills.numbers(formula) };
}

