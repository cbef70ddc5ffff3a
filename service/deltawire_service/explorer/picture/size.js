// Follows the size of the element that the picture is drawn in.
import { useEffect, useLayoutEffect, useState } from "../core/dom.js";

// `measure`: takes the element. `ready`: all that stands around the element is there. Returns what it measures, the same object
// for the same size; null before the element is there, and until it is measured anew once it is ready.
export function useSize(element, measure, narrow, ready) {
  const [size, setSize] = useState(null);
  const [measured, setMeasured] = useState(false);
  const look = () => setSize((old) => {
    const now = measure(element.current, narrow);
    return JSON.stringify(now) === JSON.stringify(old) ? old : now;
  });
  useLayoutEffect(() => { if (ready) { setMeasured(true); look(); } }, [ready]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [narrow]);
  return ready && !measured ? null : size;
}
