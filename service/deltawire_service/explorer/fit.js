// How large a picture is drawn, which way it runs, and how large its texts must be to be read.
import { layout } from "./layout.js";

// Kept free for the key and the buttons.
export const ABOVE = 30, BELOW = 44;

const LARGEST = 1.35;
const READABLE = 11; // pixels on the screen

export const DETAIL = 0.5; // from here on numbers are drawn, below it names alone

const zoomOf = (drawing, view) => Math.min(LARGEST, view.width / drawing.width, view.height / drawing.height);

// The layout as asked; on a narrow screen, where nothing is asked, the way that makes it larger.
export function oriented({ places, edges }, down, narrow, view) {
  const drawn = (vertical) => ({ ...layout(places, edges, vertical, view), down: vertical });
  if (down !== null || !narrow) return drawn(down ?? false);
  const [upright, across] = [drawn(true), drawn(false)];
  return zoomOf(upright, view) >= 0.95 * zoomOf(across, view) ? upright : across;
}

// The whole of it, in the middle.
export function fitted(drawing, frame) {
  const view = { width: frame.clientWidth, height: frame.clientHeight - ABOVE - BELOW };
  const zoom = zoomOf(drawing, view);
  return { zoom, x: (view.width - zoom * drawing.width) / 2, y: ABOVE + (view.height - zoom * drawing.height) / 2 };
}

// The size a text is written with, in the picture's own units.
export const sized = (size, zoom) => Math.max(size, READABLE / zoom);
