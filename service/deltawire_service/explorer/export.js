// The picture as a file: SVG with the styles it needs inside, or PNG drawn from it.
import { HEIGHT, written } from "./key.js";

const LEAST = 300; // wide: the key has to fit

function picture(svg, drawing, t) {
  const copy = svg.cloneNode(true);
  const [width, height] = [Math.max(LEAST, drawing.width) + 16, drawing.height + HEIGHT + 40];
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `-8 -8 ${width} ${height}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.querySelector("g[transform]").removeAttribute("transform");
  copy.append(written(t, drawing.height + 32));
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  const rules = [...document.styleSheets].filter((sheet) => sheet.href?.endsWith("/graph.css")).flatMap((sheet) => [...sheet.cssRules]);
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

export function saveSvg(drawing, name, t) {
  save(picture(document.querySelector("svg.drawing"), drawing, t), `${name}.svg`);
}

export async function savePng(drawing, name, t) {
  const address = URL.createObjectURL(picture(document.querySelector("svg.drawing"), drawing, t));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(2, 8000 / image.width);
  canvas.width = image.width * scale;
  canvas.height = image.height * scale;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
}
