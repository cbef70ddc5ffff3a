// Keeps a training of the page's network: its curve, its parameters along the way, and why it ended.
import { useEffect, useRef, useState } from "../../core/dom.js";
import { Failure } from "../../core/requests.js";
import { initialParams } from "../../core/session.js";
import { descend, NOTHING } from "./descent.js";

const STEPS = 300; // of one run
export const EVERY = 10; // steps between two pictures
const MOST = 128; // sets of parameters along the way
/** @type {{ history: any, along: any[], running: boolean, ended: any, at: number | null }} */
const BARE = { history: NOTHING, along: [], running: false, ended: null, at: null };

// `setParams`: shows the network with other parameters, of the run with a number; returns a promise of a Failure or null.
// Returns {history, along, running, ended, at} and what changes them. `along`: [{step, params}], from step 0 on. `ended`:
// {why, step, rate, failure}, or null. `at`: the step that the picture has gone back to, or null for the newest.
export function useTraining(document, classification, setParams) {
  const [training, setTraining] = useState(BARE);
  const update = (part) => setTraining((old) => ({ ...old, ...part }));
  const run = useRef(null);
  const runs = useRef(0); // how many there were: the number of the newest, and the seed of new parameters
  const newest = useRef(null); // the parameters of the last step, until the page has them
  const latest = useRef();
  latest.current = setParams; // called when a run ends, by a page that may have changed
  const network = JSON.stringify([document.network, document.data]);
  /** @param {(old: typeof BARE) => { why: string } | null} [ended] */
  const discard = (ended = () => null) => { // the answers of a run that still goes on are ignored
    if (run.current) run.current.stopped = run.current.discarded = true;
    run.current = newest.current = null;
    setTraining((old) => ({ ...BARE, ended: ended(old) }));
  };
  useEffect(() => () => discard(({ history }) => (history.steps.length ? { why: "Changed" } : null)), [network]); // and where the page is left

  const train = async (rate, count) => {
    const mine = run.current = { stopped: false, discarded: false };
    const shown = training.at ?? training.history.steps.length; // the curve goes on from the picture
    const number = runs.current += 1;
    let history = shown ? cut(training.history, shown) : NOTHING;
    let along = shown ? training.along.filter(({ step }) => step <= shown) : [{ step: 0, params: document.params }];
    let params = newest.current ?? document.params;
    /** @type {Promise<any>} */
    let picture = Promise.resolve();
    let drawing = false;
    const show = () => { drawing = true; picture = latest.current(params, number).finally(() => { drawing = false; }); return picture; };
    update({ history, along, running: true, ended: null, at: null });
    const onStep = (now, stepped) => {
      [history, newest.current] = [now, params = stepped];
      const step = now.steps.length;
      if (step % EVERY === 0) {
        along = thinned([...along, { step, params }]);
        if (!drawing) show();
      }
      update({ history, along });
    };
    const ended = (why, failure) => ({ why, failure, step: history.steps.length, rate });
    let end;
    try {
      const last = (Math.floor(shown / STEPS) + 1) * STEPS;
      end = ended(await descend(document, { params, history, last, rate, count, classification, run: mine, onStep }));
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      end = ended(failure.problem.code === "non_finite" ? "Diverged" : "Failed", failure);
    }
    if (mine.discarded) return;
    const step = history.steps.length;
    if (along[along.length - 1].step < step) along = [...along, { step, params }];
    run.current = null;
    update({ running: false, ended: end, along });
    await picture;
    if (newest.current !== params) return; // it was reset meanwhile, or the picture went back
    if (!await show()) newest.current = null;
  };
  const pause = () => { run.current.stopped = true; };
  const goTo = (index) => {
    const { step, params } = training.along[index];
    newest.current = null;
    update({ at: step === training.history.steps.length ? null : step, ended: null });
    latest.current(params, runs.current);
  };
  const reset = () => { const [{ params }] = training.along; discard(); latest.current(params, runs.current += 1); };
  const renew = async () => {
    discard();
    const number = runs.current += 1;
    try {
      latest.current(await initialParams(document.network, number), number);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      update({ ended: { why: "Refused", failure } });
    }
  };
  const left = STEPS - ((training.at ?? training.history.steps.length) % STEPS);
  return { ...training, params: newest.current ?? document.params, left, network, train, pause, goTo, reset, renew };
}

const cut = (history, steps) => Object.fromEntries(Object.entries(history).map(([key, all]) => [key, all.slice(0, steps)]));

// Drops every second entry of many, but not the first.
const thinned = (along) => (along.length <= MOST ? along : along.filter((_, i) => i % 2 === 0));
