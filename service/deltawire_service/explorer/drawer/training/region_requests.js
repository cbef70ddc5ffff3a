// Asks for the regions where a network predicts each class, with the newest parameters of a training.
import { useEffect, useRef, useState } from "../../core/dom.js";
import { Failure } from "../../core/requests.js";
import { regions } from "./plane.js";

// `asked`: {document, params, plane, frame}. `turn`: changes where the regions are to be asked for again. Returns {rows, failure}, of
// which one is null.
export function useRegions(asked, turn) {
  const [answer, setAnswer] = useState(/** @type {any} */ ({ rows: null, failure: null }));
  const latest = useRef();
  latest.current = asked;
  const queue = useRef(/** @type {"empty" | "asking" | "again"} */ ("empty"));
  const ask = async () => { // one request at a time, the last one with the newest parameters
    if (queue.current !== "empty") {
      queue.current = "again";
      return;
    }
    do {
      queue.current = "asking";
      const { document, params, plane, frame } = latest.current;
      try {
        setAnswer({ rows: await regions(document, params, plane, frame), failure: null });
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        setAnswer({ rows: null, failure });
      }
    } while (isAgain(queue));
    queue.current = "empty";
  };
  useEffect(() => { ask(); }, [turn]);
  return answer;
}

const isAgain = (queue) => queue.current === "again";
