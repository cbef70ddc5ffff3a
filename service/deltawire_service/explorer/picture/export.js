// The picture as a file, with all there is to see, however it is zoomed on the page: SVG with its styles inside, or PNG.
import { html, render } from "../core/dom.js";
import { HEIGHT, written } from "./key.js";
import { Picture } from "./picture.js";

const LEAST = 300; // wide: the key has to fit
const LARGEST = 8000; // pixels of a PNG, across or down

function picture(shown) {
  const { drawing, model, t } = shown;
  const holder = document.createElement("div");
  render(html`<svg><${Picture} ...${shown} zoom=${1} whole /></svg>`, holder);
  const copy = holder.firstChild;
  const [width, height] = [Math.max(LEAST, drawing.width) + 16, drawing.height + HEIGHT + 40];
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `-8 -8 ${width} ${height}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("class", "drawing");
  copy.append(written(model, t, drawing.height + 32));
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  const rules = [...document.styleSheets].filter((sheet) => sheet.href?.endsWith("/picture.css")).flatMap((sheet) => [...sheet.cssRules]);
  const used = getComputedStyle(document.documentElement);
  const text = rules.map((rule) => rule.cssText).join("\n");
  const names = [...new Set(text.match(/--[\w-]+/g))];
  const values = names.map((name) => `${name}: ${used.getPropertyValue(name)};`).join(" ");
  const ground = used.getPropertyValue("--page");
  style.textContent = `svg { ${values} background: ${ground}; font-family: system-ui, sans-serif }\n${text}`;
  copy.prepend(style);
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveSvg(shown, name) {
  save(picture(shown), `${name}.svg`);
}

export async function savePng(shown, name) {
  const address = URL.createObjectURL(picture(shown));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(2, LARGEST / Math.max(image.width, image.height));
  canvas.width = image.width * scale;
  canvas.height = image.height * scale;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
}
