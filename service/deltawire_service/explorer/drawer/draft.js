// Keeps the text of the editor, and tries it once typing pauses.
import { useEffect, useRef, useState } from "../core/dom.js";
import { lossIn } from "../core/files/losses.js";
import { dropRefused, keepRefused, newId } from "../core/kept.js";
import { lineOf, lineOfError, written } from "./pointers.js";

const PAUSE = 250; // milliseconds without typing, before the text is tried

// `draft`: a ref to {document, text, id, opened}: a text that was typed, the document that it would have replaced, and the id
// under which it is kept until it is accepted; `opened` where it is one of those and has not been tried yet. `apply`: called with
// a document that was typed, and what to call once it is accepted. `fail`: called with the fault of a text that is not JSON.
// `failed`: the last text was refused. Returns {text, room, change}; `room`: the text could be kept.
export function useDraft({ document, draft, apply, fail, failed }) {
  const [text, setText] = useState(draft.current.document === document && (failed || draft.current.opened) ? draft.current.text : written(document));
  const [room, setRoom] = useState(true);
  const timer = useRef();
  const latest = useRef();
  latest.current = apply; // called when the pause ends, by a page that may have changed
  const shown = useRef(document);
  useEffect(() => {
    if (shown.current !== document && !same(text, document)) {
      setText(written(document));
      draft.current = {}; // it stays among the refused texts
    }
    shown.current = document;
  }, [document]);
  useEffect(() => {
    if (draft.current.text !== text) draft.current = {}; // what is typed now is another text, beside that one
    else if (draft.current.opened) change(text);
    return () => clearTimeout(timer.current);
  }, []);
  const change = (now) => {
    setText(now);
    const id = draft.current.document === document ? draft.current.id : newId();
    draft.current = { document, text: now, id };
    setRoom(keepRefused(id, now));
    clearTimeout(timer.current);
    try {
      const parsed = JSON.parse(now);
      const loss = lossIn(now);
      if (loss) return fail({ ...loss, line: lineOf(now, loss.pointer) });
      timer.current = setTimeout(() => latest.current(parsed, () => dropRefused(id, now)), PAUSE);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      fail({ line: lineOfError(now, error), pointer: "", code: "json_invalid", detail: error.message });
    }
    return undefined;
  };
  return { text, room, change };
}

// Tells whether a text is this document, however it is spaced: then it stays as it was typed.
function same(text, document) {
  try { return JSON.stringify(JSON.parse(text)) === JSON.stringify(document); } catch { return false; } // not JSON
}
