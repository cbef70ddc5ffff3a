// Frames the picture: lays its network out in the room there is, with the legend above it and what stands below.
import { html, useMemo, useRef, useState } from "../core/dom.js";
import { viewOf } from "./fit.js";
import { Graph } from "./graph.js";
import { drawingOf } from "./layout/layout.js";
import { Legend } from "./legend.js";
import { LARGE } from "./presentation.js";
import { useSize } from "./size.js";

/** @import { Model } from "../core/model.js" */

// `network`: the spec, of which one drawing is made for all its numbers. `down`: the direction chosen, or null. `shown`: the
// properties of the Picture but the drawing. `children`: draws what stands below, of the drawing or null.
/** @param {{ model: Model, select: (name: string) => void, [other: string]: any }} props */
export function Frame({ model, network, down, narrow, presented, shown, select, unfold, children }) {
  const ground = useRef();
  const [detail, setDetail] = useState(true);
  const size = useSize(ground, viewOf, narrow, Boolean(model));
  const type = presented ? LARGE : 1;
  const key = useMemo(() => network && JSON.stringify([network, down, narrow]), [network, down, narrow]);
  const drawing = useMemo(() => (model && size ? drawingOf(model, down, narrow, { ...size, type }) : null), [key, size, type]);
  return html`<div class="canvas">
    <${Legend} model=${shown.model} step=${shown.step} t=${shown.t} detail=${detail} />
    <div class="ground" ref=${ground}>
      ${drawing && html`<${Graph} ...${{ select, unfold, narrow, setDetail, size, type }} shown=${{ ...shown, drawing }} />`}
    </div>
    ${children(drawing)}
  </div>`;
}
