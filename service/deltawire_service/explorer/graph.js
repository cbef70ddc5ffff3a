// The network as a picture: cards and edges, zoom, pan and fit.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./dom.js";
import { ofPlace, sign } from "./badges.js";
import { Card } from "./card.js";
import { DETAIL, fitted, sized } from "./fit.js";
import { edgeKnown, isBackward, nodeAt } from "./model.js";
import { short } from "./numbers.js";

const LEAST = 0.08, MOST = 4;

export function Graph({ model, drawing, step, selected, select, unfold, marks, badges, t, narrow }) {
  const frame = useRef(); // on a narrow screen it scrolls, where the picture is higher
  const [view, setView] = useState({ x: 0, y: 0, zoom: 1, high: 0 });
  const drag = useRef(null);
  const { down } = drawing;
  const fit = () => setView(fitted(drawing, frame.current, narrow));
  useLayoutEffect(fit, [drawing]);
  useEffect(() => {
    const watch = new ResizeObserver(fit);
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, [drawing]);
  useEffect(() => {
    const wheel = (event) => {
      if (narrow && !event.ctrlKey) return; // there the page itself scrolls
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
  const closer = (factor) => { // about the place looked at
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

  const current = nodeAt(model, step);
  useEffect(() => { // what is looked at comes into sight
    const box = drawing.nodes.get(selected ?? current);
    if (!box) return;
    setView((old) => {
      const [x, y] = [old.x + old.zoom * box.x, old.y + old.zoom * box.y];
      const { clientWidth: wide, clientHeight: sight } = frame.current;
      const high = Math.max(old.high, sight);
      if (high > sight + 1) frame.current.scrollTo({ top: y - sight / 2 });
      const [half, tall] = [(old.zoom * box.width) / 2, (old.zoom * box.height) / 2];
      const inside = x - half > 0 && x + half < wide && y - tall > 0 && y + tall < high;
      if (inside || old.zoom > 3) return old;
      const across = half * 2 > wide || (x - half > 0 && x + half < wide);
      return { ...old, x: across ? old.x : old.x + wide / 2 - x, y: old.y + high / 2 - y };
    });
  }, [selected, step, drawing]);
  const back = isBackward(model, step);
  const known = (edge) => edgeKnown(model, edge, step);
  const detail = view.zoom >= DETAIL;
  const stop = () => { drag.current = null; };
  return html`<div class="sight" ref=${frame}><div class="graph" onPointerDown=${start} onPointerMove=${move} onPointerUp=${stop} onPointerCancel=${stop}>
    <svg class="drawing" height=${view.high} role="group" aria-label=${t("graph")}>
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
        ${[...model.places.values()].map((place) => html`<${Card} key=${place.name} ...${{ place, model, step, t, detail, down, zoom: view.zoom }}
          box=${drawing.nodes.get(place.name)} current=${place.name === current} back=${back} selected=${place.name === selected}
          mark=${marks.get(place.name)} badge=${ofPlace(badges, place.name)} select=${select} unfold=${unfold} />`)}
        ${detail && model.edges.filter(known).map((edge) => html`<${EdgeLabel} key=${`label ${edge.id}`} edge=${edge} zoom=${view.zoom} t=${t}
          place=${drawing.edges.get(edge.id).label} badge=${badges.get(`edges/${edge.id}`)} />`)}
      </g>
    </svg></div></div>
    <div class="zoom">
      <button onClick=${() => closer(1.25)} title=${t("zoomIn")}>+</button>
      <button onClick=${() => closer(0.8)} title=${t("zoomOut")}>−</button>
      <button onClick=${fit} title=${t("fit")}>⤢</button>
    </div>`;
}

// What a path sends back.
function EdgeLabel({ edge, place, badge, zoom, t }) {
  const size = sized(13, zoom);
  const scalar = edge.delta.shape.length === 0;
  const text = scalar ? short(edge.delta.numbers) : `‖${short(edge.delta.norm)}‖`;
  const width = 0.58 * size * text.length + 8;
  return html`<g class="edge-label" data-edge-gradient=${`${edge.to}→${edge.from}`} transform=${`translate(${place.x} ${place.y})`}>
    <rect x=${-width / 2} y=${-size / 2 - 3} width=${width} height=${size + 6} rx="5" /><text y=${0.37 * size} font-size=${size}>${text}</text>
    ${badge && html`<text class=${`badge ${badge.passed ? "passed" : "failed"}`} data-edge-badge=${edge.id} y=${1.6 * size} font-size=${sized(11, zoom)}>${sign(badge)}</text>`}
    <title>${t("edgeTitle", edge.to, edge.from)}: ${scalar ? String(edge.delta.numbers) : `‖δ‖ = ${edge.delta.norm}`}</title></g>`;
}
