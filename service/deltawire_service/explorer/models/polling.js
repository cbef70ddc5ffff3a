// Repeats a task while the page is visible, and waits longer after each time that the service does not answer.
import { Failure } from "../core/requests.js";

const PAUSE = 1000; // milliseconds between two turns
const LONGEST = 30_000; // while the service is away
const UNAUTHORIZED = 401;

// `task`: returns a promise of whether there is more to do at once. `tell`: called after each turn, with null, or with
// {error, seconds}: what went wrong, and when the next turn begins. Without a key there is none until the visitor asks for
// it: each would have the browser ask for the key again. Returns {now, end}, which begin a turn and end them.
export function repeat(task, tell) {
  let timer;
  let [failures, running, again, ended, locked] = [0, false, false, false, false];
  const now = async () => {
    again = running;
    if (running || ended || document.hidden) return;
    running = true;
    clearTimeout(timer);
    let pause = PAUSE;
    try {
      if (await task()) pause = 0;
      [failures, locked] = [0, false];
      if (!ended) tell(null);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures += 1;
      pause = Math.min(LONGEST, PAUSE * 2 ** failures);
      locked = error.problem.status === UNAUTHORIZED;
      if (!ended) tell({ error, seconds: locked ? null : pause / 1000 });
    } finally {
      running = false;
    }
    if (!ended && !locked) timer = setTimeout(now, again ? 0 : pause);
  };
  const show = () => { if (!locked) now(); };
  document.addEventListener("visibilitychange", show);
  now();
  return { now, end: () => { ended = true; clearTimeout(timer); document.removeEventListener("visibilitychange", show); } };
}
