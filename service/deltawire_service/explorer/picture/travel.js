// Moves each δ that a backward step sends along its edge, from the node that sends it to where it arrives.
import { html, useLayoutEffect, useRef } from "../core/dom.js";
import { short } from "../core/numbers.js";
import { edgeKnown, edgeSent, isBackward, nodeAt } from "../core/steps.js";
import { DETAIL, fontSize, widthOf } from "./fit.js";

/** @import { Edge, Model } from "../core/model.js" */

const LASTS = "0.7s"; // less than a step that is played; picture.css fades the marks in the same time
const STILL = matchMedia("(prefers-reduced-motion: reduce)"); // then the edge and its number only stand out

// Draws the marks of a step that was reached by one step on: not of one that was jumped to, or went back.
/** @param {{ model: Model, step: number, zoom: number, [other: string]: any }} props */
export function Travel({ model, drawing, step, zoom }) {
  const marks = useRef();
  const here = useRef({ model, step, moving: false });
  if (here.current.model !== model || here.current.step !== step) {
    const on = here.current.model === model && here.current.step + 1 === step;
    here.current = { model, step, moving: on && isBackward(model, step) && !STILL.matches };
  }
  useLayoutEffect(() => { // the browser moves them: no script runs on the way
    marks.current?.querySelectorAll("animateMotion").forEach((one) => one.beginElement());
  }, [here.current]);
  if (!here.current.moving) return null;
  const node = nodeAt(model, step);
  const sent = model.edges.filter((edge) => edge.to === node && edgeSent(model, edge, step));
  return html`<g key=${step} ref=${marks} aria-hidden="true">${sent.map((edge) => html`<${Mark} key=${edge.id} known=${edgeKnown(model, edge, step)}
    path=${drawing.edges.get(edge.id).path} ...${{ edge, zoom }} />`)}</g>`;
}

// A δ with its number, where numbers are drawn; its path leads against that of the edge.
/** @param {{ edge: Edge, zoom: number, [other: string]: any }} props */
function Mark({ edge, known, path, zoom }) {
  const size = fontSize(13, zoom);
  const number = edge.delta.shape.length ? `‖${short(edge.delta.norm)}‖` : short(edge.delta.numbers);
  const text = zoom < DETAIL ? "" : known ? number : "?";
  const width = text ? widthOf(text, size) + 10 : 9 / zoom;
  const high = text ? size + 8 : 9 / zoom;
  return html`<g class="travel" data-travel=${edge.id}>
    <rect x=${-width / 2} y=${-high / 2} width=${width} height=${high} rx=${high / 2} />${text && html`<text y=${0.37 * size} font-size=${size}>${text}</text>`}
    <animateMotion path=${path} keyPoints="1;0" keyTimes="0;1" calcMode="linear" dur=${LASTS} begin="indefinite" fill="freeze" /></g>`;
}
