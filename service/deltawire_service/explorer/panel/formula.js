// Draws formulas with KaTeX.
import { html, useEffect, useRef } from "../core/dom.js";

// KaTeX sets elements, not markup: the page's policy allows no style attributes in markup. Formulas are set inline, so that
// KaTeX breaks those that do not fit, but in the size of displayed ones. In `numbers`, each = outside of [ ] begins its line.
export function Formula({ tex, numbers, block = true }) {
  const element = useRef();
  useEffect(() => {
    const broken = numbers ? tex.replaceAll(/(^| )= (?![^[\]]*\])/g, "\\allowbreak = \\nobreak ") : tex;
    globalThis.katex.render(block ? `\\displaystyle ${broken}` : tex, element.current, { throwOnError: false, strict: false, output: "htmlAndMathml", trust: false });
    element.current.querySelectorAll(".katex-error").forEach((error) => error.removeAttribute("title"));
  }, [tex, numbers, block]);
  return html`<span class=${`formula ${numbers ? "numbers" : ""}`} ref=${element} data-tex=${tex}></span>`;
}

// An equation with names, the shapes of its arrays, and the equation with numbers where those say more.
export function Equation({ equation: { names, numbers, definitions = [], shapes }, known = true }) {
  return html`<${Formula} tex=${names} />${shapes && html`<small class="shapes">${shapes}</small>`}
    ${[numbers, ...definitions].map((one) => known && /\d/.test(one.replace(/_\{\d+\}/g, "")) && html`<${Formula} tex=${one} numbers=${one === numbers} />`)}`;
}
