// Writes a layer's own LaTeX with the names of a node, and with its numbers.
import { sizeOf, times } from "../core/arrays.js";
import { briefLatex, latex } from "../core/latex.js";
import { clausesOf, leftSide, writtenOut } from "./clauses.js";

/** @import { Edge, Model } from "../core/model.js" */

// Writes a name in LaTeX: x0 as x_{0}, hidden as \text{hidden}.
export function symbol(name) {
  const indexed = /^([A-Za-z])_?(\d+)$/.exec(name);
  if (indexed) return `${indexed[1]}_{${indexed[2]}}`;
  return name.length === 1 ? name : `\\text{${name.replaceAll("_", "\\_")}}`;
}

// Replaces the placeholders of the contract; LaTeX keeps its own braces.
function fill(formula, symbols) {
  return formula.replace(/\{(\w+)\}/g, (placeholder, name) => (name in symbols ? `{${symbols[name]}}` : placeholder));
}

// Writes out {x0} + {x1} + \dots for as many inputs as there are.
function written(formula, count) {
  return formula.replace(/\{x0\}(.*?)\{x1\}\1\\dots/, (_, between) =>
    Array.from({ length: count }, (_, i) => `{x${i}}`).join(between));
}

const COLUMN = 6, MATRIX = 20, WIDTH = 5; // numbers in a column and in a matrix, and columns of it, at most

// Writes a number, a column or a matrix; the name where that would be too much to read.
/** @param {{ numbers: any, shape: number[] } | null} traced */
function numeric(name, traced, matrix = false) {
  const { numbers = null, shape = [] } = traced ?? {};
  if (numbers === null) return symbol(name);
  if (shape.length === 0) return numbers < 0 ? `(${latex(numbers)})` : latex(numbers);
  if (shape.length === 1 && sizeOf(shape) <= COLUMN) return `\\begin{pmatrix}${numbers.map((one) => briefLatex(one)).join("\\\\")}\\end{pmatrix}`;
  if (shape.length === 2 && matrix && sizeOf(shape) <= MATRIX && shape[1] <= WIDTH) {
    return `\\begin{pmatrix}${numbers.map((row) => row.map((one) => briefLatex(one)).join("&")).join("\\\\")}\\end{pmatrix}`;
  }
  return symbol(name);
}

/** @param {{ numbers: any, shape: number[] } | null} traced */
const result = (name, traced) => (traced?.shape.length === 0 && typeof traced.numbers === "number" ? latex(traced.numbers) : numeric(name, traced, true));

// A formula of single elements (x_i) makes no sense with columns of numbers in it.
const indexed = (formula) => /\{\w+\}_/.test(formula);

// Writes the right side with numbers and its result, without repeating either, and the definitions of its symbols.
function equal(formula, fills, outcome, name, array) {
  const bare = (tex) => tex.replace(/[{}()]/g, "");
  const [all, ...others] = clausesOf(formula);
  const definitions = others.filter((one) => !indexed(one)).map(fills.numbers);
  const main = array ? leftSide(all) : all;
  const side = indexed(main) ? fills.places(main) : fills.numbers(main);
  if (side === null) return { numbers: `= ${outcome}`, definitions };
  const repeated = outcome === symbol(name) || bare(side) === bare(outcome);
  return { numbers: !repeated ? `= ${side} = ${outcome}` : `= ${outcome === symbol(name) ? side : outcome}`, definitions };
}

// Makes parentheses as high as the matrices between them, and drops those around a single matrix, which has its own.
function grown(tex) {
  if (!tex.includes("pmatrix") || tex.split("(").length !== tex.split(")").length) return tex;
  return tex.replaceAll("(", "\\left(").replaceAll(")", "\\right)")
    .replace(/\\left\((\{\\begin\{pmatrix\}(?:(?!\\begin).)*\\end\{pmatrix\}\})\\right\)/g, "$1");
}

// Returns functions that fill a formula of a node with names or numbers, or list the shapes of its arrays.
/** @param {Model} model */
function fillsOf(model, node, delta = null) {
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
  const given = { value: node.value, delta, ...Object.fromEntries(node.inputs.map((source, i) => [`x${i}`, model.places.get(source).value])) };
  // Writes formulas of single places: sums over them, and rows of a matrix that an input chooses; null for any other.
  const places = (tex) => {
    const [, matrix, chooser] = /^\{(\w+)\}_\{\{(\w+)\}\}$/.exec(tex) ?? [];
    if (matrix) return given[chooser]?.numbers === undefined ? null : `${names[matrix]}_{${[given[chooser].numbers].flat(Infinity).join(",\\,")}}`;
    const out = writtenOut(tex, given, (one, shape) => numeric("", { numbers: one, shape }));
    return out === null ? null : grown(tidy(configured(out)));
  };
  // Numbers of the config stand in a formula under their names.
  const own = (name) => node.config?.[name] ?? node.layer?.config?.properties?.[name]?.default;
  const configured = (tex) => tex.replace(/\\text\{(\w+)\}|\\epsilon(?![a-z])/g, (written, name = "eps") =>
    (typeof own(name) === "number" ? `{${latex(own(name))}}` : written));
  const scalar = node.shape.length === 0 && node.inputs.every((source) => model.places.get(source).shape.length === 0);
  const tidy = (tex) => (scalar ? tex.replaceAll("\\circ", "\\cdot") : tex);
  // All arrays of an elementwise layer have the shape in the panel's title.
  const listed = (tex) => (node.layer?.elementwise ? [] : [...new Set(Array.from(tex.matchAll(/\{(\w+)\}/g), ([, name]) => name))]
    .filter((name) => arrays[name]?.[1].length).map((name) => `${arrays[name][0]} ${times(arrays[name][1])}`));
  return { names: (tex) => tidy(fill(tex, names)), numbers: (tex) => grown(tidy(fill(configured(tex), numbers))), places, shapes: (tex) => listed(tex).join(", ") };
}

// Drops the bias from the formula of a node whose bias is switched off.
const withoutBias = (tex) => tex.replace(/\s*\+\s*\{bias\}/, "");

function prepared(formula, node) {
  const own = node.parameters.some(({ local }) => local === "bias") ? formula : withoutBias(formula);
  return written(own, node.inputs.length);
}

// Each equation is {names, numbers, definitions, shapes}, in LaTeX, `definitions` those of symbols in it, with numbers; null where the layer has no formula.
/** @param {Model} model */
export function valueEquation(model, node) {
  if (!node.layer?.formula) return null;
  const formula = prepared(node.layer.formula.value, node);
  const fills = fillsOf(model, node);
  return {
    names: `${symbol(node.name)} = ${fills.names(formula)}`,
    ...equal(formula, fills, result(node.name, node.value), node.name, node.shape.length > 0),
    shapes: fills.shapes(formula),
  };
}

// `edge`: the one that `delta`, which arrived at the node, is sent along.
/** @param {Model} model @param {Edge} edge */
export function deltaEquation(model, node, edge, delta) {
  const { position, twin, delta: sent } = edge;
  const all = node.layer?.formula?.deltas;
  const formula = all?.[Math.min(position, all.length - 1)];
  if (!formula) return null;
  const fills = fillsOf(model, node, delta);
  const source = symbol(node.inputs[position]);
  const own = prepared(formula, node);
  return {
    names: `\\delta_{${symbol(node.name)} \\to ${source}}${twin === null ? "" : `^{(${twin})}`} = ${fills.names(own)}`, ...equal(own, fills, result("δ", sent), "δ", false),
    shapes: fills.shapes(own),
  };
}

// The equation of what one node contributes to a parameter's gradient.
/** @param {Model} model */
export function contributionEquation(model, node, parameter, delta) {
  const formula = node.layer?.formula?.grads[parameter.local];
  if (!formula) return null;
  const fills = fillsOf(model, node, delta);
  const [main, ...others] = clausesOf(formula);
  const definitions = others.filter((one) => !indexed(one)).map(fills.numbers);
  return { names: fills.names(formula), numbers: (indexed(main) ? fills.places(main) : fills.numbers(main)) ?? "", definitions, shapes: fills.shapes(formula) };
}
