// Opens networks that are dropped on the page, pasted into it or chosen as a file.
import { useEffect, useRef, useState } from "../core/dom.js";
import { isInField } from "../core/events/typing.js";
import { networkIn, networkInText } from "../core/files/network.js";
import { Failure } from "../core/requests.js";

// A field takes the text that is dropped on it or pasted into it; files only the one that chooses files.
const isOurs = (event, { types }) => (types.includes("Files") ? event.target.type !== "file" : types.includes("text/plain") && !isInField(event));

// `open`: called with the request that was read. `shown`: the document of the page. Returns {over, take, failure, dismiss}:
// whether something is dragged over the page, what opens the one of a list of files, and why nothing was opened, until
// another document is shown. `taken`: whether the page takes what is dropped on it or pasted into it.
export function useOpening(open, shown, taken) {
  const [over, setOver] = useState(false);
  const [failure, setFailure] = useState(/** @type {{ error: Failure } | null} */ (null));
  const newest = useRef(0);
  const latest = useRef();
  const dismiss = () => setFailure(null);
  useEffect(dismiss, [shown]);
  const read = async (task) => {
    const mine = newest.current += 1;
    try {
      const request = await task();
      if (mine !== newest.current) return;
      dismiss();
      latest.current.open(request);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (mine === newest.current) setFailure({ error });
    }
  };
  const take = (files) => read(async () => {
    if (files.length > 1) throw new Failure({ code: "file_many", count: files.length });
    return networkIn(files[0]);
  });
  const receive = (transfer) => {
    if (transfer.files.length) return take([...transfer.files]);
    const text = transfer.getData("text/plain");
    return text.trim() ? read(() => networkInText(text, null)) : undefined;
  };
  latest.current = { open, receive };
  useEffect(() => {
    if (!taken) return undefined;
    let own = false; // a part of the page itself is dragged
    const listeners = {
      dragstart: () => { own = true; },
      dragend: () => { own = false; },
      dragover: (event) => {
        const ours = !own && isOurs(event, event.dataTransfer);
        if (ours) event.preventDefault(); // so that it can be dropped
        setOver(ours);
      },
      dragleave: (event) => { if (!event.relatedTarget) setOver(false); },
      drop: (event) => {
        setOver(false);
        if (own || !isOurs(event, event.dataTransfer)) return;
        event.preventDefault();
        latest.current.receive(event.dataTransfer);
      },
      paste: (event) => { if (isOurs(event, event.clipboardData)) latest.current.receive(event.clipboardData); },
    };
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener);
    return () => { for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener); };
  }, []);
  return { over, take, failure, dismiss };
}
