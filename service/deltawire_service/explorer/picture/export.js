// Saves the picture as a file, SVG or PNG, with all its numbers, however it is zoomed on the page.
import { html, render } from "../core/dom.js";
import { EXPORTED_HEIGHT, exportedLegend } from "./legend.js";
import { Picture } from "./picture.js";

const LEAST = 300; // units wide: the legend has to fit
const LARGEST = 8000; // pixels of a PNG, across or down

// Returns the SVG as a Blob, with the styles it uses inside it.
function exported(shown) {
  const { drawing, model, t } = shown;
  const holder = document.createElement("div");
  render(html`<svg><${Picture} ...${shown} zoom=${1} whole /></svg>`, holder);
  const svg = /** @type {SVGSVGElement} */ (holder.querySelector("svg"));
  const [width, height] = [Math.max(LEAST, drawing.width) + 16, drawing.height + EXPORTED_HEIGHT + 40];
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("viewBox", `-8 -8 ${width} ${height}`);
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
  svg.setAttribute("class", "drawing");
  svg.dataset.theme = document.documentElement.dataset.theme; // rules of the dark theme ask the root for it
  svg.append(exportedLegend(model, t, drawing.height + 32));
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  style.textContent = styles();
  svg.prepend(style);
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}

// The rules of picture.css, and the colours of the page's theme that they name.
function styles() {
  const rules = [...document.styleSheets].filter((sheet) => sheet.href?.endsWith("/picture.css")).flatMap((sheet) => [...sheet.cssRules]);
  const text = rules.map((rule) => rule.cssText).join("\n");
  const used = getComputedStyle(document.documentElement);
  const names = [...new Set(text.match(/--[\w-]+/g))];
  const values = names.map((name) => `${name}: ${used.getPropertyValue(name)};`).join(" ");
  return `svg { ${values} background: ${used.getPropertyValue("--page")}; font-family: system-ui, sans-serif }\n${text}`;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// `shown`: the properties of the Picture.
export function saveSvg(shown, name) {
  save(exported(shown), `${name}.svg`);
}

export async function savePng(shown, name) {
  const address = URL.createObjectURL(exported(shown));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(2, LARGEST / Math.max(image.width, image.height));
  canvas.width = image.width * scale;
  canvas.height = image.height * scale;
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
}
