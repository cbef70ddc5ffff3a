// The network as a picture: cards and edges, zoom, pan and fit.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./dom.js";
import { ofPlace, sign } from "./badges.js";
import { Card } from "./card.js";
import { edgeKnown, isBackward, nodeAt } from "./model.js";
import { short } from "./numbers.js";

const LEAST = 0.08, MOST = 4;

// Kept free for the key and the buttons.
export const ABOVE = 30, BELOW = 44;

export function Graph({ model, drawing, step, selected, select, unfold, marks, badges, t, down }) {
  const frame = useRef();
  const [view, setView] = useState({ x: 0, y: 0, zoom: 1 });
  const drag = useRef(null);
  const fit = () => setView(fitted(drawing, frame.current, down));
  useLayoutEffect(fit, [drawing, down]);
  useEffect(() => {
    const watch = new ResizeObserver(fit);
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, [drawing]);
  useEffect(() => {
    const wheel = (event) => {
      if (down && !event.ctrlKey) return; // there the page itself scrolls
      event.preventDefault();
      const box = frame.current.getBoundingClientRect();
      zoomBy(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    };
    frame.current.addEventListener("wheel", wheel, { passive: false });
    return () => frame.current?.removeEventListener("wheel", wheel);
  }, [down]);

  const zoomBy = (factor, x = frame.current.clientWidth / 2, y = frame.current.clientHeight / 2) =>
    setView((old) => {
      const zoom = Math.min(MOST, Math.max(LEAST, old.zoom * factor));
      const scale = zoom / old.zoom;
      return { zoom, x: x - (x - old.x) * scale, y: y - (y - old.y) * scale };
    });
  const start = (event) => { drag.current = { x: event.clientX - view.x, y: event.clientY - view.y }; };
  const move = (event) => {
    if (!drag.current || !event.buttons) return;
    const { x, y } = drag.current;
    setView((old) => ({ ...old, x: event.clientX - x, y: event.clientY - y }));
  };

  const current = nodeAt(model, step);
  useEffect(() => { // what is looked at comes into sight
    const box = drawing.nodes.get(selected ?? current);
    if (!box) return;
    setView((old) => {
      const [x, y] = [old.x + old.zoom * box.x, old.y + old.zoom * box.y];
      const [wide, high] = [frame.current.clientWidth, frame.current.clientHeight];
      const [half, tall] = [(old.zoom * box.width) / 2, (old.zoom * box.height) / 2];
      const inside = x - half > 0 && x + half < wide && y - tall > ABOVE - 8 && y + tall < high - BELOW + 8;
      if (inside || old.zoom > 3) return old;
      const across = half * 2 > wide || (x - half > 0 && x + half < wide);
      return { ...old, x: across ? old.x : old.x + wide / 2 - x, y: old.y + high / 2 - y };
    });
  }, [selected, step, drawing]);
  const back = isBackward(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const detail = view.zoom >= 0.42;
  return html`<div class="graph" ref=${frame} onPointerDown=${start} onPointerMove=${move} onPointerUp=${() => { drag.current = null; }}>
    <svg class="drawing" role="group" aria-label=${t("graph")}>
      <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto">
          <path d="M0 .8 7 4 0 7.2z" class="head" /></marker>
        <marker id="head-back" viewBox="0 0 8 8" refX="1" refY="4" markerUnits="userSpaceOnUse" markerWidth="13" markerHeight="13" orient="auto">
          <path d="M8 .8 1 4 8 7.2z" class="head back" /></marker>
      </defs>
      <g transform=${`translate(${view.x.toFixed(1)} ${view.y.toFixed(1)}) scale(${view.zoom.toFixed(4)})`}>
        ${model.edges.map((edge) => {
          const { path, jump } = drawing.edges.get(edge.id);
          const active = edge.to === current;
          const tone = known(edge) ? "back" : "";
          return html`<path key=${edge.id} data-edge=${edge.id} d=${path} class=${`edge ${tone} ${jump ? "jump" : ""} ${active ? "active" : ""}`}
            marker-end=${tone ? null : "url(#head)"} marker-start=${tone ? "url(#head-back)" : null} />`;
        })}
        ${[...model.places.values()].map((place) => html`<${Card} key=${place.name} ...${{ place, model, step, t, detail, zoom: view.zoom }}
          box=${drawing.nodes.get(place.name)} current=${place.name === current} back=${back} selected=${place.name === selected}
          mark=${marks.get(place.name)} badge=${ofPlace(badges, place.name)} select=${select} unfold=${unfold} />`)}
        ${detail && model.edges.filter(known).map((edge) => html`<${EdgeLabel} key=${`label ${edge.id}`} edge=${edge} t=${t}
          place=${drawing.edges.get(edge.id).label} badge=${badges.get(`edges/${edge.id}`)} />`)}
      </g>
    </svg>
    <div class="zoom">
      <button onClick=${() => zoomBy(1.25)} title=${t("zoomIn")}>+</button>
      <button onClick=${() => zoomBy(0.8)} title=${t("zoomOut")}>−</button>
      <button onClick=${fit} title=${t("fit")}>⤢</button>
    </div>
  </div>`;
}

// What a path sends back.
function EdgeLabel({ edge, place, badge, t }) {
  const scalar = edge.delta.shape.length === 0;
  const text = scalar ? short(edge.delta.numbers) : `‖${short(edge.delta.norm)}‖`;
  const width = 7.6 * text.length + 8;
  return html`<g class="edge-label" data-edge-gradient=${`${edge.to}→${edge.from}`} transform=${`translate(${place.x} ${place.y})`}>
    <rect x=${-width / 2} y="-10" width=${width} height="20" rx="5" /><text y="5">${text}</text>
    ${badge && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-edge-badge=${edge.id} y="23">${sign(badge)}</text>`}
    <title>${t("edgeTitle", edge.to, edge.from)}: ${scalar ? String(edge.delta.numbers) : `‖δ‖ = ${edge.delta.norm}`}</title></g>`;
}

function fitted(drawing, frame, down) {
  const [width, height] = [frame.clientWidth, frame.clientHeight];
  const wide = width / drawing.width;
  const high = (height - ABOVE - BELOW) / drawing.height;
  const zoom = Math.min(1.35, wide, down ? Math.max(0.62, high) : high);
  const top = (height - ABOVE - BELOW - zoom * drawing.height) / 2;
  return { zoom, x: (width - zoom * drawing.width) / 2, y: ABOVE + (down ? Math.max(0, top) : top) };
}
