// Indents by the Tab key in a text area, which it leaves after Escape.
import { useRef } from "../core/dom.js";

// `change`: called with the text that is indented. Returns the handlers of the text area.
export function useTabKey(change) {
  const leaving = useRef(false); // Escape came: Tab goes on to what is next
  return {
    onKeyDown: (event) => {
      const { target, key, shiftKey } = event;
      if (key === "Tab" && !shiftKey && !leaving.current) {
        event.preventDefault();
        target.setRangeText("  ", target.selectionStart, target.selectionEnd, "end");
        change(target.value);
      } else if (key !== "Tab" && key !== "Shift") leaving.current = key === "Escape";
    },
    onBlur: () => { leaving.current = false; },
  };
}
