// Shows the picture of the network in its frame, with zoom, pan and fit.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../core/dom.js";
import { nodeAt } from "../core/steps.js";
import { Find } from "./find.js";
import { DETAIL, fitted, NEAR, viewOf } from "./fit.js";
import { Picture } from "./picture.js";
import { Travel } from "./travel.js";

const LEAST = 0.08, MOST = 4; // zoom

// `shown`: the properties of the Picture. `setDetail`: takes whether numbers are drawn. `type`: how much larger its texts are.
/** @param {{ select: (name: string) => void, [other: string]: any }} props */
export function Graph({ shown, select, unfold, narrow, setDetail, size, type }) {
  const { model, drawing, step, selected, t } = shown;
  const frame = useRef(); // on a narrow screen it scrolls when the picture is higher
  const [moved, setMoved] = useState(/** @type {any} */ ({ of: null, view: null })); // where a drawing was moved to
  const begun = useMemo(() => fitted(drawing, size), [drawing]); // from a size that is known: the picture is drawn once
  const view = moved.of === drawing ? moved.view : begun;
  const setView = (change) => setMoved((old) => ({ of: drawing, view: change(old.of === drawing ? old.view : begun) }));
  const [highlighted, highlight] = useState(null); // the id of an edge
  const drag = useRef(null);
  const fit = () => setView(() => fitted(drawing, viewOf(frame.current, narrow)));
  useLayoutEffect(() => { if (narrow) fit(); }, [drawing]); // its scroll bar needs room
  useEffect(() => {
    const wheel = (event) => {
      if (narrow && !event.ctrlKey) return; // there the wheel scrolls the page
      event.preventDefault();
      const box = frame.current.firstChild.getBoundingClientRect();
      zoomBy(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    };
    frame.current.addEventListener("wheel", wheel, { passive: false });
    return () => frame.current?.removeEventListener("wheel", wheel);
  }, [narrow]);

  const zoomBy = (factor, x, y) =>
    setView((old) => {
      const zoom = Math.min(MOST, Math.max(LEAST, old.zoom * factor));
      const scale = zoom / old.zoom;
      return { ...old, zoom, x: x - (x - old.x) * scale, y: y - (y - old.y) * scale };
    });
  const closer = (factor) => { // around the selected place
    const box = drawing.nodes.get(selected ?? current);
    const [wide, high] = [frame.current.clientWidth, view.high];
    zoomBy(factor, ...(box ? [view.x + view.zoom * box.x, view.y + view.zoom * box.y] : [wide / 2, high / 2]));
  };
  const start = (event) => { drag.current = { x: event.clientX - view.x, y: event.clientY - view.y }; };
  const move = (event) => {
    if (!drag.current || !event.buttons) return;
    const { x, y } = drag.current;
    setView((old) => ({ ...old, x: event.clientX - x, y: event.clientY - y }));
  };

  const detail = view.zoom / type >= DETAIL;
  useLayoutEffect(() => setDetail(detail), [detail]);
  const current = nodeAt(model, step);
  // Brings a place into view. `near`: so near, too, that its numbers are drawn.
  const bring = (name, near = false) => {
    const box = drawing.nodes.get(name);
    if (!box) return;
    const { clientWidth: wide, clientHeight: visible } = frame.current;
    setView((last) => {
      const closes = near && !narrow && last.zoom / type < DETAIL;
      const old = closes ? { ...last, zoom: NEAR * type } : last;
      const [x, y] = [old.x + old.zoom * box.x, old.y + old.zoom * box.y];
      const high = Math.max(old.high, visible);
      if (high > visible + 1) frame.current.scrollTop = y - visible / 2;
      const [half, tall] = [(old.zoom * box.width) / 2, (old.zoom * box.height) / 2];
      const inside = !closes && x - half > 0 && x + half < wide && y - tall > 0 && y + tall < high;
      if (inside || (old.zoom > 3 && !near)) return old;
      const across = !closes && (half * 2 > wide || (x - half > 0 && x + half < wide));
      return { ...old, x: across ? old.x : old.x + wide / 2 - x, y: old.y + high / 2 - y };
    });
  };
  useEffect(() => bring(selected ?? current), [selected, step, drawing]);
  const stop = () => { drag.current = null; };
  return html`<div class="viewport" ref=${frame}><div class="graph" onPointerDown=${start} onPointerMove=${move} onPointerUp=${stop} onPointerCancel=${stop}>
    <svg class="drawing" height=${view.high} role="group" aria-label=${t("graph")}>
      <g transform=${`translate(${view.x.toFixed(1)} ${view.y.toFixed(1)}) scale(${view.zoom.toFixed(4)})`}>
        <${Picture} ...${{ ...shown, select, unfold, highlighted, highlight }} zoom=${view.zoom / type} />
        <${Travel} ...${{ model, drawing, step }} zoom=${view.zoom / type} />
      </g>
    </svg></div></div>
    <div class="zoom">
      <button onClick=${() => closer(1.25)} title=${t("zoomIn")}>+</button>
      <button onClick=${() => closer(0.8)} title=${t("zoomOut")}>−</button>
      <button onClick=${fit} title=${t("fit")}>⤢</button>
    </div>
    <${Find} choose=${(name) => { select(name); bring(name, true); }} ...${{ model, t }} />`;
}
