// Moves the upper edge of the drawer by dragging, by keys or by a double click, and remembers its height.
import { html, useEffect, useState } from "../core/dom.js";
import { remember, remembered } from "../core/preferences.js";

const [LEAST, USUAL, TALL, MOST, STEP] = [20, 27, 55, 75, 5]; // percent of the window's height
const HEIGHTS = Array.from({ length: MOST - LEAST + 1 }, (_, i) => String(LEAST + i));

/** @param {{ t: Translate, [other: string]: any }} props */
export function Splitter({ t }) {
  const [height, setHeight] = useState(remembered("drawer", HEIGHTS));
  const now = Number(height ?? USUAL);
  const move = (to) => {
    const whole = String(Math.max(LEAST, Math.min(MOST, Math.round(to))));
    setHeight(whole);
    remember("drawer", whole);
  };
  useEffect(() => {
    if (height !== null) document.documentElement.style.setProperty("--drawer", `${height}vh`);
  }, [height]);
  const toggle = () => move(now < TALL ? TALL : USUAL);
  const press = (event) => {
    const to = { ArrowUp: now + STEP, ArrowDown: now - STEP }[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter") toggle();
    else return;
    event.preventDefault();
  };
  const drag = (event) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) move((100 * (innerHeight - event.clientY)) / innerHeight);
  };
  return html`<div class="splitter" role="separator" tabindex="0" aria-orientation="horizontal" aria-label=${t("taller")} title=${t("taller")}
    aria-valuemin=${LEAST} aria-valuemax=${MOST} aria-valuenow=${now} onKeyDown=${press} onDblClick=${toggle}
    onPointerDown=${(event) => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove=${drag}><i></i></div>`;
}
