// Follows the models and the runs of the service: their lists, and the curves of those that are chosen.
import { ModelCurve, RunCurve } from "./curve.js";
import * as routes from "./routes.js";

const ROWS = 10; // models or runs on a page
const PAGES = 5; // of a curve in one turn: no curve keeps the others waiting

// A page of a list. `pages`: what it and those before it follow. `keyOf`: the key of a row. `Curve`: of a row.
class Listing {
  rows = null; // until it is known
  next = null;
  pages = [null];

  constructor(read, readOne, keyOf, Curve) {
    Object.assign(this, { read, readOne, keyOf, Curve });
  }

  async refresh() {
    Object.assign(this, await this.read(this.pages.at(-1), ROWS));
  }

  // Returns the description with a key: from the page where it is there, null where there is none any more.
  async find(key) {
    const listed = this.rows.find((row) => this.keyOf(row) === key);
    const whole = this.pages.length === 1 && this.next === null;
    if (listed || whole) return listed ?? null;
    try {
      return await this.readOne(key.slice(key.indexOf(":") + 1));
    } catch (error) {
      if (error.problem?.status === 404) return null;
      throw error;
    }
  }
}

// Keys name what has a curve: "model:NAME" or "run:ID".
export const modelKey = ({ name }) => `model:${name}`;
export const runKey = ({ id }) => `run:${id}`;

// `changed`: called whenever something is new.
export class Watch {
  offered = null; // {models, runs}
  models = new Listing(routes.listModels, routes.model, modelKey, ModelCurve);
  runs = new Listing(routes.listRuns, routes.run, runKey, RunCurve);
  curves = new Map();
  missing = new Set(); // keys of what is not there any more

  constructor(changed) {
    this.changed = changed;
  }

  // Asks for what is new; `chosen`: the keys of the curves. Returns whether a curve has more.
  async turn(chosen) {
    this.offered ??= await routes.offered();
    if (this.offered.models) await this.models.refresh();
    if (this.offered.runs) await this.runs.refresh();
    this.changed();
    for (const key of this.curves.keys()) if (!chosen.includes(key)) this.curves.delete(key);
    if (this.offered.models) for (const key of chosen) await this.follow(key);
    return [...this.curves.values()].some((curve) => curve.more);
  }

  async follow(key) {
    const list = key.startsWith("run:") ? this.runs : this.models;
    const described = list.rows && await list.find(key);
    if (!described) {
      this.missing.add(key);
      this.curves.delete(key);
      this.changed();
      return;
    }
    this.missing.delete(key);
    let curve = this.curves.get(key);
    const now = new list.Curve(described);
    if (curve?.identity === now.identity) curve.described = described;
    else this.curves.set(key, curve = now); // another model may have the name by now
    for (let pages = 0; curve.more && pages < PAGES; pages += 1) {
      await curve.extend();
      this.changed();
    }
  }

  // Has a curve begin earlier.
  lengthen(key) {
    this.curves.set(key, this.curves.get(key).longer());
  }
}
