// Lets the panel of a large network wait for its picture, and while steps come fast: the picture follows each of them.
import { useEffect, useRef, useState } from "../core/dom.js";

/** @import { Model } from "../core/model.js" */

/** @typedef {{ model: Model | undefined, step: number, selected: string, at: number, waits: boolean }} Shown */

const LARGE = 200; // steps of a network whose panel waits
const PAUSE = 150; // milliseconds without a step, before the panel follows
const LONGEST = 600; // milliseconds that it stays behind

// Returns {model, step, selected} for the panel: those of the page, at once where the network is small.
/** @param {Model | undefined} model @param {number} step @param {string} selected */
export function usePaced(model, step, selected) {
  const now = performance.now();
  const page = useRef(/** @type {Shown} */ ({ model, step, selected, at: now, waits: false }));
  const panel = useRef(page.current);
  const [, draw] = useState(0);
  const last = page.current;
  if (last.model !== model || last.step !== step || last.selected !== selected) {
    const waits = Boolean(model && model.last > LARGE) && (last.model !== model || now - last.at < PAUSE);
    page.current = { model, step, selected, at: now, waits };
  }
  const late = panel.current.model === model && now - panel.current.at > LONGEST;
  if (!page.current.waits || late) panel.current = page.current;
  useEffect(() => { // the picture has been painted
    if (panel.current === page.current) return undefined;
    const timer = setTimeout(() => {
      page.current.waits = false;
      draw((count) => count + 1);
    }, panel.current.model === model ? PAUSE : 0);
    return () => clearTimeout(timer);
  }, [model, step, selected]);
  return panel.current;
}
