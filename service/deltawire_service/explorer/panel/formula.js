// Draws formulas with KaTeX.
import { html, useLayoutEffect, useRef } from "../core/dom.js";

const SETTLED = 300; // milliseconds that a formula is shown, before what screen readers read is added

// KaTeX sets elements, not markup: the page's policy allows no style attributes in markup. Formulas are set inline, so that
// KaTeX breaks those that do not fit, but in the size of displayed ones. In `numbers`, each = outside of [ ] begins its line.
// MathML, which nobody sees, costs as much again: it is left out while steps come fast.
export function Formula({ tex, numbers, block = true }) {
  const element = useRef();
  useLayoutEffect(() => { // before the page is measured and painted
    const broken = numbers ? tex.replaceAll(/(^| )= (?![^[\]]*\])/g, "\\allowbreak = \\nobreak ") : tex;
    const write = (into, output) => globalThis.katex.render(block ? `\\displaystyle ${broken}` : tex, into, { throwOnError: false, strict: false, output, trust: false });
    write(element.current, "html");
    element.current.querySelectorAll(".katex-error").forEach((error) => error.removeAttribute("title"));
    const timer = setTimeout(() => {
      const both = document.createElement("span");
      write(both, "htmlAndMathml");
      element.current?.querySelector(".katex")?.prepend(...both.querySelectorAll(".katex-mathml"));
    }, SETTLED);
    return () => clearTimeout(timer);
  }, [tex, numbers, block]);
  return html`<span class=${`formula ${numbers ? "numbers" : ""}`} ref=${element} data-tex=${tex}></span>`;
}

// An equation with names, the shapes of its arrays, and the equation with numbers where those say more.
export function Equation({ equation: { names, numbers, definitions = [], shapes }, known = true }) {
  return html`<${Formula} tex=${names} />${shapes && html`<small class="shapes">${shapes}</small>`}
    ${[numbers, ...definitions].map((one) => known && /\d/.test(one.replace(/_\{\d+\}/g, "")) && html`<${Formula} tex=${one} numbers=${one === numbers} />`)}`;
}
