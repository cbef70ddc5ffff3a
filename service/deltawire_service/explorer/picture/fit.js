// How large a picture is drawn, and how large its texts must be to be read.

export const AROUND = 8; // pixels above and below a picture

const LARGEST = 1.35;
const READABLE = 11; // pixels on the screen

export const DETAIL = 0.5; // from here on numbers are drawn, below it names alone
const SCROLLED = 0.64; // where the picture scrolls, it is not drawn smaller than this to be whole

export function zoomOf(drawing, view) {
  const all = Math.min(LARGEST, view.width / drawing.width, view.height / drawing.height);
  return view.scrolls ? Math.max(all, Math.min(SCROLLED, view.width / drawing.width)) : all;
}

export const viewOf = ({ clientWidth, clientHeight }, scrolls) => ({ width: clientWidth, height: clientHeight - 2 * AROUND, scrolls });

// Whether one drawing can be read better than another; less scrolling, where both can be.
export function larger(one, other, view) {
  const [mine, its] = [zoomOf(one, view), zoomOf(other, view)];
  return mine > its * 1.04 || (view.scrolls && mine >= its * 0.99 && mine * one.height < 0.9 * its * other.height);
}

// Whether all of it is in sight at once.
export const whole = (drawing, view) => zoomOf(drawing, view) * drawing.height < view.height + 1;

// As large as the frame allows, in the middle; where it scrolls, as high as it needs.
export function fitted(drawing, frame, scrolls) {
  const view = viewOf(frame, scrolls);
  const zoom = zoomOf(drawing, view);
  const high = Math.max(view.height, zoom * drawing.height);
  return { zoom, high: high + 2 * AROUND, x: (view.width - zoom * drawing.width) / 2, y: AROUND + (high - zoom * drawing.height) / 2 };
}

// The size a text is written with, in the picture's own units.
export const sized = (size, zoom) => Math.max(size, READABLE / zoom);

// About how wide a bold text is.
export const widthOf = (text, size) => [...text].reduce((sum, c) => sum + size * (/[.·‖|,]/.test(c) ? 0.34 : /[⁰¹²³⁴-⁹⁻ ]/.test(c) ? 0.42 : 0.64), 0);
