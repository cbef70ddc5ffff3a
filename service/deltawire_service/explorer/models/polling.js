// Repeats a task while the page is visible, and waits longer after each time that the service does not answer.
import { Refused, Unreachable } from "../core/api.js";

const PAUSE = 1000; // milliseconds between two turns
const LONGEST = 30_000; // while the service is away

// `task`: returns a promise of whether there is more to do at once. `tell`: called after each turn, with null, or with
// {error, seconds}: what went wrong, and when the next turn begins. Returns {now, end}, which begin a turn and end them.
export function repeat(task, tell) {
  let [timer, failures, running, again, ended] = [null, 0, false, false, false];
  const now = async () => {
    again = running;
    if (running || ended || document.hidden) return;
    running = true;
    clearTimeout(timer);
    let pause = PAUSE;
    try {
      if (await task()) pause = 0;
      failures = 0;
      if (!ended) tell(null);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      failures += 1;
      pause = Math.min(LONGEST, PAUSE * 2 ** failures);
      if (!ended) tell({ error, seconds: pause / 1000 });
    } finally {
      running = false;
    }
    if (!ended) timer = setTimeout(now, again ? 0 : pause);
  };
  document.addEventListener("visibilitychange", now);
  now();
  return { now, end: () => { ended = true; clearTimeout(timer); document.removeEventListener("visibilitychange", now); } };
}
