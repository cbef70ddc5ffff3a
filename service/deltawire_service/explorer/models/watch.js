// Follows the models and the runs of the service: their lists, and the curves of those that are chosen.
import { ModelCurve, RunCurve } from "./curves/curve.js";
import { Listing } from "./lists/listing.js";
import * as routes from "./routes.js";

const PAGES = 5; // of a curve in one turn: no curve keeps the others waiting
const IDLE = 10_000; // milliseconds that the first run waits before somebody is told that nothing takes it

// Keys name what has a curve: "model:NAME" or "run:ID".
export const modelKey = ({ name }) => `model:${name}`;
export const runKey = ({ id }) => `run:${id}`;

const TAKEN = ["running", "queued", "paused"]; // in this order

// `changed`: called whenever something is new.
export class Watch {
  offered; // {models, runs, workers}
  search = ""; // a part of the names that are listed
  open; // runs that have not ended, in the order that they are taken in; none until they are known
  ended = new Listing(routes.listEndedRuns, runKey);
  models = new Listing(routes.listModels, modelKey);
  /** @type {any} */
  newest = null; // the key of what is shown to whom has chosen nothing
  curves = new Map();
  missing = new Set(); // keys of what is gone
  updated; // the time that the lists are of
  /** @type {any} */
  waiting = null; // {id, since} of the run that is next

  constructor(changed) {
    this.changed = changed;
  }

  // Asks for what is new; `chosen`: the keys of the curves, null for the newest. Returns whether a curve has more.
  async turn(chosen) {
    this.offered ??= await routes.offered();
    if (this.offered.workers) this.offered.workers = await routes.workers();
    if (this.offered.models) await this.models.refresh(this.search);
    if (this.offered.runs) await this.refreshRuns();
    this.updated = new Date();
    this.newest = this.findNewest();
    const keys = chosen ?? (this.newest ? [this.newest] : []);
    this.changed();
    for (const key of this.curves.keys()) if (!keys.includes(key)) this.curves.delete(key);
    let behind = false;
    if (this.offered.models) for (const key of keys) behind = await this.follow(key) || behind;
    return behind;
  }

  // Lists what has a text in its name from the next turn on.
  searchFor(text) {
    this.search = text;
    this.ended.pages = this.models.pages = [null];
    this.changed();
  }

  async refreshRuns() {
    const open = await routes.listOpenRuns();
    await this.ended.refresh(this.search);
    const over = new Set(this.ended.rows.map(({ id }) => id)); // those that ended between the two answers
    this.open = open.filter(({ id }) => !over.has(id)).sort((a, b) => TAKEN.indexOf(a.state) - TAKEN.indexOf(b.state) || a.number - b.number);
    const first = this.open.find((run) => run.ahead === 0);
    if (first?.id !== this.waiting?.id) this.waiting = first ? { id: first.id, since: Date.now() } : null;
  }

  // Tells whether the first run of the queue has waited for so long that no trainer can be at work.
  get idle() { return this.waiting !== null && Date.now() - this.waiting.since > IDLE; }

  // The running run, or else the latest one that has taken a step; without runs the first model that has.
  findNewest() {
    const running = this.open?.find((run) => run.state === "running");
    if (running) return runKey(running);
    if (this.search || this.ended.pages.length > 1 || this.models.pages.length > 1) return this.newest; // not all are known
    const runs = [...(this.open ?? []), ...(this.ended.rows ?? [])].filter((run) => run.steps > 0);
    if (runs.length) return runKey(runs.reduce((latest, run) => (run.number > latest.number ? run : latest)));
    const model = this.models.rows?.find(({ step }) => step > 0);
    return model ? modelKey(model) : null;
  }

  // Returns the description with a key: from a list that has it, null where there is none any more.
  async describe(key) {
    const ofRun = key.startsWith("run:");
    const list = ofRun ? this.ended : this.models;
    if (!list.rows) return null;
    const listed = [...list.rows, ...(ofRun ? this.open : [])].find((row) => list.keyOf(row) === key);
    if (listed || (list.alone && !this.search)) return listed ?? null;
    try {
      return await (ofRun ? routes.run : routes.model)(key.slice(key.indexOf(":") + 1));
    } catch (error) {
      if (/** @type {any} */ (error).problem?.status === 404) return null;
      throw error;
    }
  }

  // Reads what is new of a curve, and returns whether there is more. A step that waits for its validation comes with it, later.
  async follow(key) {
    const described = await this.describe(key);
    if (!described) {
      this.missing.add(key);
      this.curves.delete(key);
      this.changed();
      return false;
    }
    this.missing.delete(key);
    let curve = this.curves.get(key);
    const now = new (key.startsWith("run:") ? RunCurve : ModelCurve)(described);
    if (curve?.identity === now.identity) curve.described = described;
    else this.curves.set(key, curve = now); // another model may have the name by now
    let before = null;
    for (let pages = 0; curve.more && curve.read !== before && pages < PAGES; pages += 1) {
      before = curve.read;
      await curve.extend();
      this.changed();
    }
    return curve.more && curve.read !== before;
  }

  // Has a curve begin earlier.
  lengthen(key) {
    this.curves.set(key, this.curves.get(key).longer());
  }
}
