// Follows the size of the screen and of the element that the picture is drawn in.
import { useEffect, useState } from "../core/dom.js";

const NARROW = "(max-width: 760px)";

export function useNarrow() {
  const [narrow, setNarrow] = useState(matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const update = () => setNarrow(media.matches);
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, []);
  return narrow;
}

// `measure`: takes the element. Returns what it measures: null before the element is there.
export function useSize(element, measure, narrow) {
  const [size, setSize] = useState(null);
  useEffect(() => {
    const watch = new ResizeObserver(() => setSize(measure(element.current, narrow)));
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [narrow]);
  return size;
}
