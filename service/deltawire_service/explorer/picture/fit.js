// Computes how large a picture is drawn, and how large its texts must be to be read.

const AROUND = 8; // pixels above and below a picture

const LARGEST = 1.35; // zoom
export const READABLE = 11; // pixels on the screen
const SCROLLED = 0.64; // zoom: a picture that scrolls is not drawn smaller just to show all of it

export const NEAR = 0.64; // zoom that a place is looked at with

export const DETAIL = 0.42; // zoom from which numbers are drawn; below it, names alone

// `view`: {width, height, scrolls}, from viewOf.
export function zoomOf(drawing, view) {
  const all = Math.min(LARGEST, view.width / drawing.width, view.height / drawing.height);
  return view.scrolls ? Math.max(all, Math.min(SCROLLED, view.width / drawing.width)) : all;
}

export const viewOf = ({ clientWidth, clientHeight }, scrolls) => ({ width: clientWidth, height: clientHeight - 2 * AROUND, scrolls });

// Tells whether one drawing is easier to read than another: larger, or as large with less scrolling.
export function larger(one, other, view) {
  const [mine, its] = [zoomOf(one, view), zoomOf(other, view)];
  return mine > its * 1.04 || (view.scrolls && mine >= its * 0.99 && mine * one.height < 0.9 * its * other.height);
}

// Tells whether all of a drawing is visible without scrolling.
export const whole = (drawing, view) => zoomOf(drawing, view) * drawing.height < view.height + 1;

// Centres a drawing in its frame, as large as it fits; where it scrolls, as high as it needs.
export function fitted(drawing, view) {
  const zoom = zoomOf(drawing, view);
  const high = Math.max(view.height, zoom * drawing.height);
  return { zoom, high: high + 2 * AROUND, x: (view.width - zoom * drawing.width) / 2, y: AROUND + (high - zoom * drawing.height) / 2 };
}

// The font size of a text in the picture's own units, so that it can be read.
/** @param {number} zoom */
export const fontSize = (size, zoom) => Math.max(size, READABLE / zoom);

// About how wide a bold text is.
export const widthOf = (text, size) => [...text].reduce((sum, c) => sum + size * (/[.·‖|,]/.test(c) ? 0.34 : /[⁰¹²³⁴-⁹⁻ ]/.test(c) ? 0.42 : 0.64), 0);
