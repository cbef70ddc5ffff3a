// Runs tasks of which the newest counts, and repeats one that failed in passing, a little later each time.
import { useEffect, useRef, useState } from "../core/dom.js";
import { Failure } from "../core/requests.js";

const FIRST = 2, LONGEST = 30; // seconds before a task is tried again

// Returns `failure`, of the newest task: null, or {error, seconds, again}: what went wrong, when the task is tried again
// by itself, and what tries it at once. `attempt(task)` runs task(outdated), and returns its Failure or null; `outdated`
// tells whether a newer task has begun. `fail(error)` says that what would have been the newest task is none.
export function useRecovery() {
  const [failure, setFailure] = useState(null);
  const turn = useRef(0);
  const timer = useRef();
  const begin = () => {
    clearTimeout(timer.current);
    const mine = turn.current += 1;
    return () => mine !== turn.current;
  };
  const attempt = async (task, tries = 0) => {
    const outdated = begin();
    try {
      await task(outdated);
      if (!outdated()) setFailure(null);
      return null;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!outdated()) {
        const again = () => attempt(task, tries + 1);
        const seconds = error.passing ? Math.min(LONGEST, FIRST * 2 ** tries) : null;
        if (seconds) timer.current = setTimeout(again, 1000 * seconds);
        setFailure({ error, seconds, again });
      }
      return error;
    }
  };
  const fail = (error) => { begin(); setFailure({ error, seconds: null, again: null }); };
  useEffect(() => begin, []);
  useEffect(() => { // the machine has its network again
    if (!failure?.seconds) return undefined;
    addEventListener("online", failure.again);
    return () => removeEventListener("online", failure.again);
  }, [failure]);
  return { failure, attempt, fail, dismiss: () => { begin(); setFailure(null); } };
}
